/** Rows of usage by tenant and minute, and hours that minutes were compacted to. */
export const usageTable = 'usageminutes'
/** What the roll-up remembers: how far each log blob has been rolled up, and by which hours it is finished. */
export const cursorTable = 'usageblobs'

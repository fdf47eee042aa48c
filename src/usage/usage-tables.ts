/** Rows of usage by tenant and minute, and hours that minutes were compacted to. */
export const usageTable = 'usageminutes'
/** What the roll-up remembers: how far each log blob has been rolled up, and by which hours it is finished. */
export const cursorTable = 'usageblobs'
/** Days of usage by tenant, made of its minutes and hours, which stay. */
export const dayTable = 'usagedays'
/** Reports of days, weeks and months by tenant. */
export const reportTable = 'usagereports'

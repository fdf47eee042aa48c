export function wideParts(): string[]
export function focused(): { name: string; isMarked: boolean; isSeen: boolean }
export function takeOver(): Promise<{ forbidden: string[]; color: string }>
export function addFrame(url: string): Promise<unknown>
export function colors(): { ink: string; paper: string }
export function letterHeights(texts: unknown[]): number[]

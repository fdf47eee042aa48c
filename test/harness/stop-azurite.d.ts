declare const stopAzurite: () => Promise<void>
export = stopAzurite

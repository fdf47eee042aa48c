declare const startAzurite: () => Promise<void>
export = startAzurite

module.exports = async () => {
  globalThis.__azurite?.kill('SIGTERM')
}

/** Loaded into Azurite's process before it starts: what the local stack needs of it that it cannot be configured to do. */
require('./accounts')
require('./indices')
require('./dispatch')

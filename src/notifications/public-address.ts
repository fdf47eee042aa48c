import { BlockList, isIP } from 'node:net'

/**
 * Whether an address is one of the public internet (RFC 6890 and the registries that it founded). Webhooks go nowhere else: a tenant
 * must not reach through us what only we reach, least of all the cloud's own metadata services.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !reserved.check(address, 'ipv4')
    case 6:
      // Written within an IPv6 address an IPv4 one would be read as what it is by some and not by others, so none is taken.
      return global.check(address, 'ipv6') && !reserved.check(address, 'ipv6')
    default:
      return false
  }
}

const reservedV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Instance metadata among them.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's wire server: public by its number, the platform's own by what answers there.
  ['168.63.129.16', 32],
]

/** Within the global unicast addresses: tunnels, documentation and what is meant for no host. */
const reservedV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const reserved = new BlockList()
for (const [net, prefix] of reservedV4) reserved.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of reservedV6) reserved.addSubnet(net, prefix, 'ipv6')
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')

// Why Baton does not do something, where several keywords share the reason.
export const noMoreRealTime = "election and dataplane run in real time from the start";
export const noLocking = "Node cannot lock its memory; let the machine swap less, or give the service MemorySwapMax=0";
export const noTimeLimit = "a service that does not answer loses its lease, and is started anew";
export const eachAddress = "each address of a group is a service of its own";
export const noSnmp = "Baton has no SNMP agent; metrics are served for Prometheus, events on NATS";
export const noDbus = "Baton has no DBus interface; `baton status` and gRPC take its place";
export const nftAlone = "the rules are in nftables, in a table of Baton's own (baton_vrrp)";
export const ownBuffers = "Baton sizes its socket buffers itself";
export const withScripts = "BFD runs in the process that runs the scripts, and they would have it too";
export const checksWithScripts =
  "the balancer runs so; health checks the servers, as it runs the scripts, and they would have it too";
export const ownFiles = "Baton keeps its files in its run and state directories";
export const ownNames = "names come from /etc/iproute2 and /usr/share/iproute2";

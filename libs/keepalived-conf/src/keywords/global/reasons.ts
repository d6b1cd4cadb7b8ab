// Why Baton does not do something, where several keywords share the reason.
export const ownProcesses = "Baton's services set their own names, priorities and limits";
export const noIpvs = "virtual servers are not carried out by this version";
export const noSnmp = "Baton has no SNMP agent; metrics are served for Prometheus, events on NATS";
export const noDbus = "Baton has no DBus interface; `baton status` and gRPC take its place";
export const nftAlone = "the rules are in nftables, in a table of Baton's own (baton_vrrp)";
export const noFifo = "events are on NATS: `baton events --follow`";
export const ownBuffers = "Baton sizes its socket buffers itself";
export const noBfd = "BFD is not carried out by this version";
export const ownFiles = "Baton keeps its files in its run and state directories";

// Real connections through a balancer, for tests and figures.
export { type Answer, ask, askByDatagram, type Held, hold, many, type Target, tally } from "./client.ts";
export {
  type Customers,
  type CustomerWishes,
  customersMain,
  type Disappointment,
  readCustomers,
  type Tally,
  webServerMain,
} from "./customers.ts";
export { clientAddress, inNamespace, plainOptions, Scene, serverAddress, serverPorts, virtual } from "./scene.ts";

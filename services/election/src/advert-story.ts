// Which adverts a transition belongs to. Two routers share no trace context on the wire, but both know an advert's
// VRID, sender and IP identification: each links its span to the context derived from these, so a trace store can join
// the two halves of one failover.
import type { IpAddress, Vrid } from "@baton/domain";
import type { SpanLink } from "@baton/host";
import { advertContext, attribute, formatTraceparent } from "@baton/telemetry";

export interface AdvertSeen {
  readonly sender: IpAddress;
  readonly wireId: number;
  /** Wall clock, for people. */
  readonly time: string;
}

export const advertLink = (vrid: Vrid, advert: AdvertSeen): SpanLink => ({
  traceparent: formatTraceparent(advertContext(vrid, advert.sender, advert.wireId)),
  attributes: {
    [attribute.vrid]: vrid,
    [attribute.advertSender]: advert.sender,
    [attribute.advertTime]: advert.time,
    [attribute.advertIpId]: advert.wireId,
  },
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeMetrics, labelName, metricName } from "./metrics-text.ts";
import { parseExposition } from "./testing/parse-exposition.ts";

test("a document reads as the format says", () => {
  const text = encodeMetrics([
    {
      name: "vrrp_adverts_total",
      type: "counter",
      help: "Adverts,\nboth \\ ways",
      samples: [
        { labels: { direction: "sent", "vrrp.instance.name": 'a"b\\c\nd' }, value: 3 },
        { labels: {}, value: Number.POSITIVE_INFINITY },
      ],
    },
    { name: "empty", type: "gauge", help: "Not there", samples: [] },
    {
      name: "vrrp_advert_gap_seconds",
      type: "histogram",
      help: "Gap",
      samples: [
        { labels: { le: "1" }, value: 1, suffix: "_bucket" },
        { labels: { le: "+Inf" }, value: 2, suffix: "_bucket" },
        { labels: {}, value: 2.5, suffix: "_sum" },
        { labels: {}, value: 2, suffix: "_count" },
      ],
    },
  ]);
  expect(text).toBe(
    [
      "# HELP vrrp_adverts_total Adverts,\\nboth \\\\ ways",
      "# TYPE vrrp_adverts_total counter",
      'vrrp_adverts_total{direction="sent",vrrp_instance_name="a\\"b\\\\c\\nd"} 3',
      "vrrp_adverts_total +Inf",
      "# HELP vrrp_advert_gap_seconds Gap",
      "# TYPE vrrp_advert_gap_seconds histogram",
      'vrrp_advert_gap_seconds_bucket{le="1"} 1',
      'vrrp_advert_gap_seconds_bucket{le="+Inf"} 2',
      "vrrp_advert_gap_seconds_sum 2.5",
      "vrrp_advert_gap_seconds_count 2",
      "",
    ].join("\n"),
  );
  expect(parseExposition(text).families.map(({ name }) => name)).toEqual([
    "vrrp_adverts_total",
    "vrrp_advert_gap_seconds",
  ]);
});

test("one series occurs once: counts of two processes add up", () => {
  const text = encodeMetrics([
    {
      name: "x_total",
      type: "counter",
      help: "x",
      samples: [
        { labels: { "a.b": "1" }, value: 1 },
        { labels: { a_b: "1" }, value: 2 },
      ],
    },
  ]);
  expect(parseExposition(text).families[0]?.samples).toEqual([{ name: "x_total", labels: { a_b: "1" }, value: 3 }]);
});

test("whatever names and values come, the document can be read", () => {
  const labels = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 });
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      fc.array(fc.record({ labels, value: fc.double() })),
      (name, help, samples) => {
        const text = encodeMetrics([{ name: metricName(name), type: "gauge", help, samples }]);
        const { families } = parseExposition(text);
        expect(families.length).toBe(samples.length === 0 ? 0 : 1);
      },
    ),
  );
});

test.each([
  ["vrrp.state", "vrrp_state"],
  ["9x", "_9x"],
  ["", "_"],
  ["ä:b", "__b"],
])("label %j is written %s", (name, written) => expect(labelName(name)).toBe(written));

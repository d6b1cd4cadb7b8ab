// `track_file`: files whose number instances and real servers can track.
import { int32Max, invalidValue, lenientlyMissing, text } from "./arguments.ts";
import { numberOf, weight, wholeLine } from "./line-arguments.ts";
import { asBlock, block } from "./table.ts";

export interface InitialContent {
  readonly value: number;
  /** Even when the file is there already. */
  readonly overwrite: boolean;
}

/** Beyond it a priority cannot change any more. */
const sensibleMax = 254;

const initialContent = wholeLine<InitialContent>(
  "[N] [overwrite]",
  (line, report) => {
    let value = 0;
    let overwrite = false;
    for (const word of line.args) {
      if (/^[ \t\f\n\r\v]*[0-9-]/.test(word.text)) {
        value = numberOf(word, { min: -int32Max - 1, max: int32Max, strict: true }, line, report) ?? 0;
        if (Math.abs(value) > sensibleMax)
          report({
            place: line.at(word),
            severity: "warning",
            code: "large-number",
            errorClass: "general-error",
            message: `${line.keyword.text}: a priority cannot change by ${value}`,
            hint: `write a number from -${sensibleMax} to ${sensibleMax}`,
          });
      } else if (word.text === "overwrite") overwrite = true;
      else invalidValue(word, line, report, "a number, or overwrite");
    }
    return { value, overwrite };
  },
  { range: `-${sensibleMax} to ${sensibleMax}` },
);

const keywords = {
  file: asBlock("file", lenientlyMissing(text("PATH")), {
    meaning: "The file; the number at its beginning counts, and 0 when it is not there.",
    repeat: "first",
    default: "none: it has to be given",
  }),
  weight: asBlock("weight", lenientlyMissing(weight(254, "default", 1)), {
    meaning: "What the number is multiplied with before it is added to the priority; 0: any number but 0 is a fault.",
    repeat: "all",
    default: "1",
  }),
  initFile: asBlock("init_file", initialContent, {
    meaning: "Makes the file at the start, with this number.",
    default: "off; 0 without a number",
  }),
} as const;

const common = {
  service: "health",
  header: text("NAME"),
  owners: ["vrrp", "checker"],
  keywords,
} as const;

export const trackFile = block("track_file", {
  ...common,
  meaning: "A file with a number in it that counts for those who track it.",
});

export const vrrpTrackFile = block("vrrp_track_file", {
  ...common,
  meaning: "Another name of track_file.",
  deprecated: "write track_file",
});

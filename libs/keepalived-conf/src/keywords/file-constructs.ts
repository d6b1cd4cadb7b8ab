// What a file is made of before there are keywords: includes, conditional lines, definitions, sequences. source/ reads
// them; these rows are for manuals, and say for each what a line of it does.

export interface FileConstruct {
  readonly name: string;
  readonly syntax: string;
  readonly range: string;
  readonly meaning: string;
  /** keepalived's version that brought it, where Debian's 2.2.7 does not know it. */
  readonly since: string | undefined;
}

const construct = (
  name: string,
  syntax: string,
  meaning: string,
  { range = "", since }: { readonly range?: string; readonly since?: string } = {},
): FileConstruct => ({ name, syntax, range, meaning, since });

/** As it is written where it is used. */
const used = (name: string): string => `\${${name}}`;

const pattern = { range: "a pattern of file names, relative to the file's own directory" };

export const fileConstructs: readonly FileConstruct[] = [
  construct(
    "include",
    "GLOB",
    "Reads the matching files as if they stood here; one that is missing is no error.",
    pattern,
  ),
  construct("includer", "GLOB", "Includes, and asks that every matching file can be read.", pattern),
  construct("includem", "GLOB", "Includes as includer, and asks that a file named in full exists.", pattern),
  construct("includew", "GLOB", "Includes as includem, and asks that wildcards match something.", pattern),
  construct("includeb", "GLOB", "Includes as includer, and asks that every alternative in braces exists.", pattern),
  construct("includea", "GLOB", "Includes, and asks for all of that.", pattern),
  construct("@ID", "@ID TEXT", "Keeps the text on the machine of that id only, so that several can share a file.", {
    range: "the host name up to its first dot, or what --id says",
  }),
  construct("@^ID", "@^ID TEXT", "Keeps the text on all machines but that one."),
  construct("$NAME=", "VALUE", "Gives a text a name, for use as $NAME, alone or in braces, further down.", {
    range: "a name of letters, digits and _; a backslash at the end goes on in the next line",
  }),
  construct("~SEQ", "~SEQ(VAR, [START, [STEP,]] END) TEXT", "Repeats the text with VAR counting.", {
    range: "whole numbers, decimal, 0x hexadecimal or 0 octal",
  }),
  construct("~SEQx", "~SEQx(VAR, [START, [STEP,]] END) TEXT", "Repeats the text with VAR counting in hexadecimal.", {
    range: "whole numbers that are not negative",
  }),
  construct("~LST", "~LST(VAR, A, B, …) TEXT | ~LST({VAR, …}, {A, …}, …) TEXT", "Repeats the text for each of a list."),
  construct(used("_PWD"), "", "Stands for the directory of the file in which it is read."),
  construct(used("_INSTANCE"), "", "Stands for the id that @ID lines are compared with."),
  construct(used("_RANDOM [MIN [MAX]]"), "", "Stands for a number between the two, always the same one on a machine.", {
    range: "0 to 32767 unless it says otherwise",
  }),
  construct(used("_ENV NAME"), "", "Stands for a variable of the environment, or for nothing.", { since: "2.4.0" }),
  construct(used("_HASH"), "", "Stands for a # that begins no comment, inside double quotes."),
  construct(used("_BANG"), "", "Stands for a ! that begins no comment, inside double quotes."),
];

// `url` blocks of HTTP_GET and SSL_GET.

import { regexOptions } from "../config/checker.ts";
import type { RegexConfig, SslUrlConfig, StatusRange, UrlConfig } from "../config.ts";
import { httpKeywords, httpUrl, sslKeywords, sslUrl, sslUrlKeywords, urlKeywords } from "../keywords/checker.ts";
import type { Keyword } from "../keywords/table.ts";
import { translatePattern } from "../pcre/translate.ts";
import { repeated, replaced } from "../syntax/problems.ts";
import { type Block, blocksOf, inOrder, isSet, isSettingOf, setting, settings, value } from "../syntax/tree.ts";
import type { CheckedServer } from "./check-times.ts";
import { advise, type ResolveContext, reject } from "./context.ts";

export function resolveHttpUrls(checker: Block, server: CheckedServer, context: ResolveContext): UrlConfig[] {
  // HTTP has no use for them; what is wrong with them is said all the same.
  resolveServerName(checker, context);
  return blocksOf(checker, httpUrl).flatMap((block) => resolveUrl(block, checker, server, context) ?? []);
}

export function resolveSslUrls(checker: Block, server: CheckedServer, context: ResolveContext): SslUrlConfig[] {
  const asked = resolveServerName(checker, context);
  const compliant = value(checker, sslKeywords.tlsCompliant) ?? false;
  return blocksOf(checker, sslUrl).flatMap((block) => {
    const url = resolveUrl(block, checker, server, context);
    if (url === undefined) return [];
    const host = value(block, urlKeywords.virtualHost) ?? value(checker, httpKeywords.virtualHost);
    // keepalived passes over the real server's virtualhost here.
    const serverName = asked.enabled ? (asked.name ?? host ?? server.serviceHostName) : undefined;
    return [{ ...url, serverName, tlsCompliant: compliant || (value(block, sslUrlKeywords.tlsCompliant) ?? false) }];
  });
}

/** `enable_sni` and `sni_name`, which implies it; the later one counts. */
function resolveServerName(checker: Block, context: ResolveContext): { enabled: boolean; name: string | undefined } {
  let enabled = false;
  let name: string | undefined;
  for (const item of inOrder(checker)) {
    if (isSettingOf(item, httpKeywords.enableSni)) enabled = item.value;
    else if (isSettingOf(item, httpKeywords.sniName)) {
      const given = item.value === "" ? undefined : item.value;
      if (name !== undefined) context.report((given === undefined ? repeated : replaced)(item.place, "sni_name"));
      if (name !== undefined && given === undefined) continue;
      name = given;
      enabled = true;
    }
  }
  return { enabled, name };
}

function resolveUrl(
  block: Block,
  checker: Block,
  server: CheckedServer,
  context: ResolveContext,
): UrlConfig | undefined {
  const path = value(block, urlKeywords.path);
  if (path === undefined) {
    reject(context, block.place, "no-path", "this url has no path and is left out", "write path /");
    return undefined;
  }
  const codes = settings(block, urlKeywords.statusCodes).flatMap((line) => line.value);
  return {
    path,
    host:
      value(block, urlKeywords.virtualHost) ??
      value(checker, httpKeywords.virtualHost) ??
      server.hostName ??
      server.serviceHostName,
    statusCodes: codes.length === 0 ? [{ min: 200, max: 299 }] : mergeRanges(codes),
    digest: value(block, urlKeywords.digest),
    regex: resolveRegex(block, context),
  };
}

/** Rising, those that touch as one. */
export function mergeRanges(ranges: readonly StatusRange[]): StatusRange[] {
  const merged: StatusRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.min - b.min)) {
    const last = merged.at(-1);
    if (last === undefined || range.min > last.max + 1) merged.push(range);
    else merged[merged.length - 1] = { min: last.min, max: Math.max(last.max, range.max) };
  }
  return merged;
}

const regexDetails: readonly Keyword<unknown>[] = [
  urlKeywords.regexNoMatch,
  urlKeywords.regexOptions,
  urlKeywords.regexMinOffset,
  urlKeywords.regexMaxOffset,
  urlKeywords.regexStack,
];

function resolveRegex(block: Block, context: ResolveContext): RegexConfig | undefined {
  const pattern = value(block, urlKeywords.regex);
  if (pattern === undefined) {
    const detail = regexDetails.map((keyword) => setting(block, keyword)).find((found) => found !== undefined);
    if (detail !== undefined) {
      const message = `${detail.keyword.name} is of no use without regex; it is ignored`;
      advise(context, detail.place, "no-regex", message);
    }
    return undefined;
  }
  const chosen = new Set(settings(block, urlKeywords.regexOptions).flatMap((line) => line.value));
  const options = regexOptions.filter((option) => chosen.has(option));
  const translated = translatePattern({ pattern, options });
  const place = setting(block, urlKeywords.regex)?.place ?? block.place;
  if (!translated.ok) {
    const message = `this pattern cannot be carried out, so that the check will fail: ${translated.reason}`;
    advise(context, place, "regex-not-carried-out", message, `it is behind ${translated.at} characters of the pattern`);
  }
  return {
    pattern,
    options,
    negate: isSet(block, urlKeywords.regexNoMatch),
    ...resolveOffsets(block, context),
    stack: value(block, urlKeywords.regexStack),
  };
}

function resolveOffsets(block: Block, context: ResolveContext): Pick<RegexConfig, "minOffset" | "maxOffset"> {
  const minOffset = value(block, urlKeywords.regexMinOffset) ?? 0;
  const last = setting(block, urlKeywords.regexMaxOffset);
  if (last === undefined || minOffset <= last.value) return { minOffset, maxOffset: last?.value };
  const message = `regex_min_offset ${minOffset} is behind regex_max_offset ${last.value}; both are ignored`;
  advise(context, last.place, "regex-offset", message);
  return { minOffset: 0, maxOffset: undefined };
}

// What an instance watches: it goes into fault, or its priority changes, with what becomes of these.
import { flag } from "../arguments.ts";
import { noted, values, works } from "../table.ts";
import {
  trackBfdForm,
  trackFileForm,
  trackInterfaceForm,
  trackProcessForm,
  trackScriptForm,
} from "../track-options.ts";

export const tracking = {
  dontTrackPrimary: works("dont_track_primary", flag, {
    meaning: "Stays as it is when its own interface goes down.",
    default: "off",
  }),
  trackInterface: values("track_interface", {
    form: trackInterfaceForm,
    meaning: "Other interfaces whose state counts.",
  }),
  trackScript: values("track_script", {
    form: trackScriptForm,
    meaning: "Scripts (vrrp_script) whose result counts; they have to be defined above.",
  }),
  trackFile: values("track_file", {
    form: trackFileForm,
    meaning: "Files (track_file) whose content counts: its number times the weight is added to the priority.",
  }),
  trackProcess: values("track_process", {
    form: trackProcessForm,
    meaning: "Processes (vrrp_track_process) that have to run.",
  }),
  trackBfd: values("track_bfd", {
    form: trackBfdForm,
    meaning: "BFD sessions (bfd_instance) that have to be up.",
  }),
  trackSourceAddress: works("track_src_ip", flag, {
    meaning: "Goes into fault when the source address of its adverts is gone.",
    default: "off",
  }),
  linkbeatUsePolling: noted("linkbeat_use_polling", flag, "the kernel tells of link changes", {
    meaning: "Asks its interface again and again whether it has a link.",
    deprecated: "write linkbeat_interfaces",
    default: "off",
  }),
} as const;

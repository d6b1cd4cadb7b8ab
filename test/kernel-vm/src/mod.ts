// A small machine with Debian's kernel, for what the kernel that tests run on does not have: IPVS above all.
export { findParts, type VmParts } from "./parts.ts";
export { type CommandOptions, type KernelVm, type KernelVmOptions, type Outcome, startKernelVm } from "./vm.ts";

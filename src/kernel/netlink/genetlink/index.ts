export * from "./family.ts";
export * from "./nl80211.ts";

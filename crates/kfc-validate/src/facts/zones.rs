//! Time zones: the areas of their names. Whether a place is in an area is not known here.

/// Areas with places.
const AREAS: [&str; 21] = [
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Brazil", "Canada", "Chile", "Etc", "Europe",
    "Indian", "Mexico", "Pacific", "US", "posix", "right", "SystemV", "Mideast", "GB",
];
/// Zones without an area.
const ALONE: [&str; 49] = [
    "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "Factory", "GB", "GB-Eire", "GMT", "GMT+0", "GMT-0",
    "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya", "MET", "MST",
    "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK", "Singapore", "Turkey", "UCT",
    "UTC", "Universal", "W-SU", "WET", "Zulu", "localtime", "posixrules", "leapseconds", "tzdata",
];

/// Whether a name begins as that of a zone does. Systems without upper and lower case in names of files take any.
pub(super) fn is_area(first: &str, has_place: bool) -> bool {
    if has_place { AREAS.contains(&first) } else { ALONE.contains(&first) }
}

//! How texts of the types of Kubernetes are written, and what the API server says about those that are written otherwise.

use super::super::format::is_base64;
use super::super::version::Version;
use super::cron;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    Label,
    Label1035,
    Subdomain,
    SubdomainOrWildcard,
    Qualified,
    LabelValue,
    PortName,
    DataKey,
    EnvName,
    Segment,
    Cidr,
    AnyCidr,
    Ip,
    EndpointIp,
    HttpsUrl,
    Cron,
    TimeZone,
    Percent,
    Percent100,
    LocalPath,
    PathWithoutBacksteps,
    AbsolutePath,
    Sysctl,
    Iqn,
    CsiDriver,
    DomainPath,
    HttpHeader,
    GroupVersion,
    Version,
    FieldLabel,
    Base64,
    SearchDomain,
    Integer,
    HttpPath,
    Pem,
    WindowsUser,
    Trimmed,
    NoDots,
    ExternalName,
    KindWord,
    OneLine,
    Identifier,
    PlainName,
    KindName,
    CrdGroup,
    SpecPath,
    StatusPath,
    SpecOrStatusPath,
    ServicePath,
    ThreeParts,
    NotIp,
    IngressPath,
    Indexes,
    NoSlash,
    LabelOrStar,
    SubdomainOrStar,
    UrlPath,
    Provisioner,
    Attribute,
    PoolName,
    Semver,
    ExtendedResource,
    MicroTime,
}

impl Writing {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "label" => Self::Label,
            "label1035" => Self::Label1035,
            "subdomain" => Self::Subdomain,
            "host" => Self::SubdomainOrWildcard,
            "qualified" => Self::Qualified,
            "label-value" => Self::LabelValue,
            "port-name" => Self::PortName,
            "data-key" => Self::DataKey,
            "env-name" => Self::EnvName,
            "segment" => Self::Segment,
            "cidr" => Self::Cidr,
            "any-cidr" => Self::AnyCidr,
            "ip" => Self::Ip,
            "endpoint-ip" => Self::EndpointIp,
            "https-url" => Self::HttpsUrl,
            "cron" => Self::Cron,
            "time-zone" => Self::TimeZone,
            "percent" => Self::Percent,
            "percent100" => Self::Percent100,
            "local-path" => Self::LocalPath,
            "no-backsteps" => Self::PathWithoutBacksteps,
            "absolute-path" => Self::AbsolutePath,
            "sysctl" => Self::Sysctl,
            "iqn" => Self::Iqn,
            "csi-driver" => Self::CsiDriver,
            "domain-path" => Self::DomainPath,
            "http-header" => Self::HttpHeader,
            "group-version" => Self::GroupVersion,
            "version" => Self::Version,
            "field-label" => Self::FieldLabel,
            "base64" => Self::Base64,
            "search-domain" => Self::SearchDomain,
            "integer" => Self::Integer,
            "http-path" => Self::HttpPath,
            "pem" => Self::Pem,
            "windows-user" => Self::WindowsUser,
            "trimmed" => Self::Trimmed,
            "no-dots" => Self::NoDots,
            "external-name" => Self::ExternalName,
            "kind" => Self::KindWord,
            "one-line" => Self::OneLine,
            "identifier" => Self::Identifier,
            "qualified-name" => Self::PlainName,
            "kind-name" => Self::KindName,
            "crd-group" => Self::CrdGroup,
            "spec-path" => Self::SpecPath,
            "status-path" => Self::StatusPath,
            "spec-or-status-path" => Self::SpecOrStatusPath,
            "service-path" => Self::ServicePath,
            "three-parts" => Self::ThreeParts,
            "not-ip" => Self::NotIp,
            "ingress-path" => Self::IngressPath,
            "indexes" => Self::Indexes,
            "no-slash" => Self::NoSlash,
            "label-or-star" => Self::LabelOrStar,
            "subdomain-or-star" => Self::SubdomainOrStar,
            "url-path" => Self::UrlPath,
            "provisioner" => Self::Provisioner,
            "attribute" => Self::Attribute,
            "pool-name" => Self::PoolName,
            "semver" => Self::Semver,
            "extended-resource" => Self::ExtendedResource,
            "micro-time" => Self::MicroTime,
            _ => return None,
        })
    }

    /// What the API server says about a text that is written otherwise.
    #[expect(clippy::match_same_arms, reason = "a table of words is read and changed line by line")]
    pub(super) fn fault(self, text: &str) -> Option<String> {
        let is_right = match self {
            Self::PortName => return port_name(text),
            Self::Qualified => return qualified(text),
            Self::Percent | Self::Percent100 => return percent(text, self == Self::Percent100),
            Self::Cron => return cron::fault(text),
            Self::EndpointIp => return endpoint_ip(text),
            Self::Ip => return ip(text).err(),
            Self::HttpsUrl => return https_url(text),
            Self::DomainPath => return domain_path(text),
            Self::Label => is_label(text),
            Self::Label1035 => is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase()),
            Self::Subdomain => is_subdomain(text),
            Self::SubdomainOrWildcard => is_subdomain(text.strip_prefix("*.").unwrap_or(text)),
            Self::LabelValue => is_label_value(text),
            Self::DataKey => is_data_key(text),
            Self::EnvName => text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'='),
            Self::Segment => !text.contains(['/', '%']) && !matches!(text, "." | ".."),
            Self::Cidr => cidr(text).is_some(),
            Self::AnyCidr => cidr(text.trim()).is_some(),
            Self::TimeZone => is_time_zone(text),
            Self::LocalPath => !text.starts_with('/') && has_no_backsteps(text),
            Self::PathWithoutBacksteps => has_no_backsteps(text),
            Self::AbsolutePath => text.starts_with('/'),
            Self::Sysctl => is_sysctl(text),
            Self::Iqn => is_iqn(text),
            Self::CsiDriver => text.len() <= 63 && is_subdomain(&text.to_ascii_lowercase()),
            Self::HttpHeader => {
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            }
            Self::GroupVersion => is_group_version(text),
            Self::Version => is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase()),
            Self::FieldLabel => true,
            Self::Base64 => is_base64(text),
            Self::SearchDomain => is_search_domain(text),
            Self::Integer => text.parse::<i64>().is_ok(),
            Self::HttpPath => text.starts_with('/'),
            Self::Pem => text.contains("-----BEGIN CERTIFICATE-----"),
            Self::WindowsUser => {
                text.matches('\\').count() < 2 && !text.contains(['/', ':', '*', '?', '<', '>', '|', '"'])
            }
            Self::Trimmed => text.trim() == text,
            Self::NoDots => !text.starts_with(".."),
            Self::ExternalName => is_subdomain(text.strip_suffix('.').unwrap_or(text)),
            Self::KindWord | Self::KindName => is_kind(text),
            Self::OneLine => !text.contains(['\n', '\r']),
            Self::Identifier => is_identifier(text),
            Self::PlainName => !text.contains('/') && is_name(text),
            Self::CrdGroup => is_subdomain(text) && text.contains('.'),
            Self::SpecPath => text.starts_with(".spec."),
            Self::StatusPath => text.starts_with(".status."),
            Self::SpecOrStatusPath => text.starts_with(".spec.") || text.starts_with(".status."),
            Self::ServicePath => is_service_path(text),
            Self::ThreeParts => is_subdomain(text) && text.split('.').count() >= 3,
            Self::NotIp => ip(text).is_err(),
            Self::IngressPath => is_ingress_path(text),
            Self::Indexes => is_indexes(text),
            Self::NoSlash => !text.contains('/'),
            Self::LabelOrStar => text == "*" || is_label(text),
            Self::SubdomainOrStar => text == "*" || is_subdomain(text),
            Self::UrlPath => is_url_path(text),
            Self::Provisioner => qualified(&text.to_ascii_lowercase()).is_none(),
            Self::Attribute => is_attribute(text),
            Self::PoolName => text.split('/').all(is_subdomain),
            Self::Semver => is_semver(text),
            Self::MicroTime => is_micro_time(text),
            Self::ExtendedResource => is_extended(text) && qualified(text).is_none(),
        };
        (!is_right).then(|| self.words().to_owned())
    }

    #[expect(clippy::match_same_arms, reason = "a table of words is read and changed line by line")]
    const fn words(self) -> &'static str {
        match self {
            Self::Label => {
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character, of at most 63"
            }
            Self::Label1035 | Self::Version => {
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character, of at most 63"
            }
            Self::Subdomain | Self::CsiDriver => {
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
            }
            Self::SubdomainOrWildcard => {
                "must be a host name in lower case, or a wildcard such as '*.example.com'"
            }
            Self::LabelValue => {
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, of at most 63"
            }
            Self::DataKey => "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            Self::EnvName => {
                "a valid environment variable name must consist only of printable ASCII characters other than '='"
            }
            Self::Segment => "may not be '.' or '..', and may not contain '/' or '%'",
            Self::Cidr | Self::AnyCidr => "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
            Self::TimeZone => "unknown time zone",
            Self::LocalPath => "must be a relative path without '..'",
            Self::PathWithoutBacksteps => "must not contain '..'",
            Self::AbsolutePath | Self::HttpPath => "must be an absolute path",
            Self::Sysctl => {
                "must have at most 253 characters and be parts of lower case alphanumeric characters, '-' or '_', separated by '.' or '/'"
            }
            Self::Iqn => "must be valid format: iqn.<yyyy-mm>.<domain>:<name>, eui. or naa.",
            Self::HttpHeader => "a valid HTTP header must consist of alphanumeric characters or '-'",
            Self::GroupVersion => "must be a version, or a group and a version with '/' between",
            Self::Base64 => "must be base64",
            Self::SearchDomain => "must be a domain of lower case alphanumeric characters, '-', '_' or '.'",
            Self::Integer => "must be an integer",
            Self::Pem => "must be certificates in PEM",
            Self::WindowsUser => "runAsUserName must have the form DOMAIN\\USER or USER",
            Self::Trimmed => "must not be padded with whitespace",
            Self::NoDots => "must not start with '..'",
            Self::ExternalName => {
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
            }
            Self::KindWord => {
                "a DNS-1035 label must consist of alphanumeric characters or '-', and start with an alphabetic character"
            }
            Self::OneLine => "must not contain line breaks",
            Self::Identifier => "must be an identifier of CEL, such as `replicas`",
            Self::PlainName => {
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            }
            Self::KindName => {
                "a DNS-1035 label must consist of alphanumeric characters or '-', and start with an alphabetic character"
            }
            Self::CrdGroup => "should be a domain with at least one dot",
            Self::SpecPath => "should be a json path under .spec",
            Self::StatusPath => "should be a json path under .status",
            Self::SpecOrStatusPath => "should be a json path under either .status or .spec",
            Self::ServicePath => "must start with a '/' and have lower case names between the slashes",
            Self::ThreeParts => "should be a domain with at least three segments separated by dots",
            Self::NotIp => "must be a DNS name, not an IP address",
            Self::IngressPath => {
                "must not contain '//', '/./', '/../', '%2f' or '%2F', or end with '/..' or '/.'"
            }
            Self::Indexes => "must be numbers and ranges in rising order, such as '1,3-5'",
            Self::NoSlash => "must not contain '/'",
            Self::LabelOrStar => "must be '*', or a lowercase RFC 1123 label",
            Self::SubdomainOrStar => "must be '*', or a lowercase RFC 1123 subdomain",
            Self::UrlPath => "must start with '/', and have '*' at the end only, after '/'",
            Self::Provisioner => {
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            }
            Self::Attribute => "must be a fully qualified name: a domain, '/' and an identifier",
            Self::PoolName => "must be subdomains separated by '/'",
            Self::Semver => "must be a string compatible with semver.org spec 2.0.0",
            Self::MicroTime => "cannot parse it as \"2006-01-02T15:04:05.000000Z07:00\"",
            Self::ExtendedResource => {
                "must be a domain-prefixed path of another domain than kubernetes.io, such as 'example.com/my-prop'"
            }
            Self::PortName
            | Self::Qualified
            | Self::Percent
            | Self::Percent100
            | Self::Cron
            | Self::EndpointIp
            | Self::Ip
            | Self::HttpsUrl
            | Self::DomainPath
            | Self::FieldLabel => "",
        }
    }
}

pub(super) fn is_label(text: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    text.len() <= 63
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

pub(super) fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && is_label(&part.chars().take(63).collect::<String>()) && {
            let bytes = part.as_bytes();
            bytes.last().is_some_and(|b| *b != b'-')
                && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        }
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// A label's or annotation's key without its domain, or a value.
fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    text.len() <= 63
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

/// Whether a name is that of a resource that a device plug-in offers.
pub(super) fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.starts_with("requests.") && !is_of_kubernetes(name)
}

fn is_of_kubernetes(name: &str) -> bool {
    name.split_once('/')
        .is_none_or(|(domain, _)| domain == "kubernetes.io" || domain.ends_with(".kubernetes.io"))
}

/// What is wrong with a qualified name: a key of labels, the name of a condition.
pub(super) fn qualified(text: &str) -> Option<String> {
    let (domain, name) = text.rsplit_once('/').map_or((None, text), |(domain, name)| (Some(domain), name));
    let is_right = is_name(name) && domain.is_none_or(is_subdomain);
    (!is_right).then(|| {
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, of at most 63, with an optional DNS subdomain prefix and '/'".to_owned()
    })
}

fn is_data_key(text: &str) -> bool {
    text.len() <= 253
        && text != "."
        && !text.starts_with("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// What is wrong with the name of a port.
pub(super) fn port_name(text: &str) -> Option<String> {
    let words = if text.len() > 15 {
        "must be no more than 15 characters"
    } else if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    } else if !text.bytes().any(|b| b.is_ascii_lowercase()) {
        "must contain at least one letter (a-z)"
    } else if text.contains("--") {
        "must not contain consecutive hyphens"
    } else if text.starts_with('-') || text.ends_with('-') {
        "must not begin or end with a hyphen"
    } else {
        return None;
    };
    Some(words.to_owned())
}

fn percent(text: &str, at_most_100: bool) -> Option<String> {
    let digits = text.strip_suffix('%').filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
    match digits.map(str::parse::<u64>) {
        Some(Ok(number)) if !at_most_100 || number <= 100 => None,
        Some(_) => Some("must not be greater than 100%".to_owned()),
        None => Some("a valid percent string must be a numeric string followed by an ending '%'".to_owned()),
    }
}

/// A text as a server of a version reads addresses and ranges: older ones take leading zeros in their numbers.
pub(super) fn as_read(text: &str, version: Version) -> Cow<'_, str> {
    if version.0 < 36 { without_zeros(text) } else { Cow::Borrowed(text) }
}

/// An address or range without the leading zeros of its numbers; other texts as they are.
fn without_zeros(text: &str) -> Cow<'_, str> {
    let is_number = |byte: u8| byte.is_ascii_digit() || b"./ ".contains(&byte);
    if !text.contains('.') || !text.bytes().all(is_number) {
        return Cow::Borrowed(text);
    }
    let number = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        rest => rest.to_owned(),
    };
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    let address: Vec<String> = address.trim().split('.').map(number).collect();
    let slash = if length.is_empty() { "" } else { "/" };
    Cow::Owned(format!("{}{slash}{length}", address.join(".")))
}

/// An address as Go reads it: no zeros in front of the numbers of IPv4, no zones.
pub(super) fn ip(text: &str) -> Result<IpAddr, String> {
    let found =
        text.parse::<Ipv4Addr>().map(IpAddr::V4).or_else(|_| text.parse::<Ipv6Addr>().map(IpAddr::V6));
    found.map_err(|_| "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned())
}

fn endpoint_ip(text: &str) -> Option<String> {
    let address = match ip(text) {
        Ok(address) => address,
        Err(words) => return Some(words),
    };
    let is_link_local = match address {
        IpAddr::V4(v4) => {
            v4.is_link_local() || (v4.octets()[0] == 224 && v4.octets()[1] == 0 && v4.octets()[2] == 0)
        }
        IpAddr::V6(v6) => (v6.segments()[0] & 0xffc0) == 0xfe80 || (v6.segments()[0] & 0xff0f) == 0xff02,
    };
    let words = if address.is_unspecified() {
        "may not be unspecified (0.0.0.0)"
    } else if address.is_loopback() {
        "may not be in the loopback range (127.0.0.0/8, ::1/128)"
    } else if is_link_local {
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
    } else {
        return None;
    };
    Some(words.to_owned())
}

/// The address and the number of bits of a range.
pub(super) fn cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let address = ip(address).ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let is_number = !bits.is_empty()
        && bits.bytes().all(|b| b.is_ascii_digit())
        && (bits == "0" || !bits.starts_with('0'));
    bits.parse().ok().filter(|bits| is_number && *bits <= most).map(|bits| (address, bits))
}

fn https_url(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix("https://") else {
        return Some(
            "'https' is the only allowed URL scheme; desired format: https://host[/path]".to_owned(),
        );
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let words = if host.is_empty() {
        "host must be specified; desired format: https://host[/path]"
    } else if host.contains('@') {
        "user information is not permitted in the URL"
    } else if rest.contains('#') {
        "fragments are not permitted in the URL"
    } else if rest.contains('?') {
        "query parameters are not permitted in the URL"
    } else {
        return None;
    };
    Some(words.to_owned())
}

/// `example.com/path`: a domain and a path.
fn domain_path(text: &str) -> Option<String> {
    let Some((domain, path)) = text.split_once('/') else {
        return Some("must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned());
    };
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:".contains(c);
    let is_right = is_subdomain(domain) && !path.is_empty() && path.chars().all(is_path);
    (!is_right).then(|| "must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned())
}

fn is_time_zone(text: &str) -> bool {
    if text.eq_ignore_ascii_case("local") || text.contains("..") || text.starts_with(['/', '\\', '-', '+']) {
        return false;
    }
    // The names of the zones are not here: what is written as one is taken.
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c));
    let first = text.split('/').next().unwrap_or("");
    text.split('/').all(is_name) && super::zones::is_area(first, text.contains('/'))
}

fn has_no_backsteps(text: &str) -> bool {
    text.split('/').all(|part| part != "..")
}

fn is_sysctl(text: &str) -> bool {
    let is_part = |part: &str| {
        let ends = part.as_bytes();
        let is_end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        is_end(ends.first())
            && is_end(ends.last())
            && ends.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.split(['.', '/']).all(is_part)
}

fn is_iqn(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("iqn.") {
        let bytes = rest.as_bytes();
        return bytes.len() > 8
            && bytes[..4].iter().all(u8::is_ascii_digit)
            && bytes[4] == b'-'
            && bytes[5..7].iter().all(u8::is_ascii_digit)
            && bytes[7] == b'.';
    }
    ["eui.", "naa."].iter().any(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 16))
}

fn is_group_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [version] => is_label(version),
        [group, version] => (group.is_empty() || is_subdomain(group)) && is_label(version),
        _ => false,
    }
}

/// Whether a text is the name of a kind, in any case.
fn is_kind(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    is_label(&lower) && lower.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The words that CEL keeps for itself.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether CEL keeps a word for itself, so that no field can have it as its name in an expression.
pub(super) fn is_reserved(text: &str) -> bool {
    RESERVED.contains(&text)
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !is_reserved(text)
}

/// The path of a service's webhook: names with `/` between, as a URL has them.
fn is_service_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    text == "/" || rest.split('/').all(is_subdomain)
}

fn is_ingress_path(text: &str) -> bool {
    !["//", "/./", "/../", "%2f", "%2F"].iter().any(|part| text.contains(part))
        && !text.ends_with("/..")
        && !text.ends_with("/.")
}

fn is_indexes(text: &str) -> bool {
    let mut last: Option<u64> = None;
    text.split(',').all(|part| {
        let (start, end) = part.split_once('-').map_or((part, part), |(start, end)| (start, end));
        let (Ok(start), Ok(end)) = (start.parse::<u64>(), end.parse::<u64>()) else { return false };
        let is_rising = last.is_none_or(|last| start > last) && (start < end || !part.contains('-'));
        last = Some(end);
        is_rising
    })
}

fn is_url_path(text: &str) -> bool {
    if text == "*" || text == "/*" {
        return true;
    }
    let before = text.strip_suffix("/*").unwrap_or(text);
    text.starts_with('/') && !before.contains('*') && !text.contains("//") && !text.contains(' ')
}

/// `domain/identifier`, as devices' attributes are named.
fn is_attribute(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(domain, name)| is_subdomain(domain) && name.len() <= 32 && is_identifier(name))
}

/// Whether a time has six digits after the second.
fn is_micro_time(text: &str) -> bool {
    text.split_once('.').is_some_and(|(_, rest)| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits == 6 && rest[digits..].starts_with(['Z', '+', '-'])
    })
}

fn is_semver(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or("");
    let parts: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (*part == "0" || !part.starts_with('0'))
    };
    parts.len() == 3 && parts.iter().all(is_number)
}

fn is_search_domain(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_part = |part: &str| {
        let ends = part.as_bytes();
        let is_letter = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_';
        ends.first().is_some_and(is_letter)
            && ends.last().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
            && ends.iter().all(|b| is_letter(b) || *b == b'-')
    };
    text.is_empty() || (text.len() <= 253 && text.split('.').all(is_part))
}

/// How a property is written in an expression.
#[cfg(feature = "rules")]
pub(super) fn escaped(name: &str) -> String {
    if is_reserved(name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}

#[cfg(test)]
mod tests {
    use super::Writing;

    #[test]
    fn texts_are_judged_as_the_server_judges_them() {
        for (name, right, wrong) in [
            ("label", "a-1", "A"),
            ("label1035", "a1", "1a"),
            ("subdomain", "a.b-c", "a..b"),
            ("host", "*.a.b", "*"),
            ("qualified", "a.b/C_d", "a/b/c"),
            ("label-value", "A_b.c", "-a"),
            ("port-name", "a-1", "80"),
            ("data-key", ".a_B", "..a"),
            ("env-name", "a.b c", "A=B"),
            ("segment", "system:a", "a/b"),
            ("cidr", "10.0.0.0/8", "010.0.0.0/8"),
            ("ip", "::1", "10.0.0"),
            ("endpoint-ip", "10.0.0.1", "127.0.0.1"),
            ("https-url", "https://a.b/c", "http://a"),
            ("percent100", "100%", "101%"),
            ("percent", "101%", "x"),
            ("local-path", "a/..b", "../a"),
            ("sysctl", "net.core/a_b", "a b"),
            ("iqn", "iqn.2001-04.com.example:x", "x"),
            ("csi-driver", "d.example.com", "Bad_"),
            ("domain-path", "example.com/a/b", "a"),
            ("group-version", "apps/v1", "a/b/c"),
            ("search-domain", "_a.b", "-bad"),
            ("time-zone", "Europe/Berlin", "Mars/Olympus"),
        ] {
            let writing = Writing::named(name).unwrap();
            assert_eq!(writing.fault(right), None, "{name} {right}");
            assert!(writing.fault(wrong).is_some(), "{name} {wrong}");
        }
    }
}

//! Files that the real sops encrypted, and what it decrypts them to: `tests/record` made them. The key is for tests alone.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use kfc_sops::{Identities, Sops};
use kfc_source::{DecryptFailure, Decrypter as _, FileUse};
use std::path::{Path, PathBuf};

fn files(directory: &str) -> Vec<(String, PathBuf)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(directory);
    let mut list: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    list.sort();
    list
}

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(path)).unwrap()
}

fn with_keys(keys: &str) -> Sops {
    let mut identities = Identities::default();
    identities.add_text("`keys.txt`", keys);
    Sops::new(identities)
}

fn sops() -> Sops {
    with_keys(&text("test-only.agekey"))
}

fn decrypted(file: &str, file_use: FileUse<'_>) -> String {
    let plain = sops().decrypt(file_use, file.as_bytes()).unwrap().unwrap();
    String::from_utf8(plain).unwrap()
}

fn refused(sops: &Sops, file: &str) -> DecryptFailure {
    sops.decrypt(FileUse::Manifest, file.as_bytes()).unwrap_err()
}

/// The real program: that of the variable, or the one in `PATH`.
fn real_sops() -> Option<PathBuf> {
    let named = std::env::var_os("KFC_TEST_SOPS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    named.or_else(|| {
        std::env::split_paths(&path).map(|folder| folder.join("sops")).find(|file| file.is_file())
    })
}

#[test]
fn files_are_decrypted_to_the_bytes_of_sops() {
    let mut count = 0;
    for (name, path) in files("encrypted").into_iter().filter(|(name, _)| name != "bytes") {
        let file = std::fs::read_to_string(path).unwrap();
        let (plain, expected) = (decrypted(&file, FileUse::Data(&name)), text(&format!("decrypted/{name}")));
        assert!(plain == expected, "{name}:\n{plain}\nexpected:\n{expected}");
        count += 1;
    }
    assert_eq!(count, 17);
}

#[test]
fn bytes_that_are_not_text_come_back() {
    let file = text("encrypted/bytes");
    let plain = sops().decrypt(FileUse::Data("tls.key"), file.as_bytes()).unwrap().unwrap();
    assert_eq!(plain, (0..=255).collect::<Vec<u8>>().repeat(3));
    assert_eq!(
        refused_as(&file, FileUse::Data("a.json")).why,
        "cannot be written as JSON: it has a text that is not UTF-8"
    );
}

fn refused_as(file: &str, file_use: FileUse<'_>) -> DecryptFailure {
    sops().decrypt(file_use, file.as_bytes()).unwrap_err()
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_real_sops_decrypts_to_what_was_recorded() {
    let Some(program) = real_sops() else {
        eprintln!("skipped: there is no sops");
        return;
    };
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/test-only.agekey");
    for (name, path) in files("encrypted").into_iter().filter(|(name, _)| name != "bytes") {
        let kind: &[&str] = match name.as_str() {
            "docker.dockerconfigjson" => &["--input-type", "json", "--output-type", "json"],
            _ => &[],
        };
        let mut command = std::process::Command::new(&program);
        let output =
            command.arg("decrypt").args(kind).arg(path).env("SOPS_AGE_KEY_FILE", &key).output().unwrap();
        assert!(output.status.success(), "{name}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text(&format!("decrypted/{name}")), "{name}");
    }
}

#[test]
fn the_key_of_a_generated_object_says_the_format() {
    let env = text("encrypted/variables.env");
    let json = decrypted(&env, FileUse::Data("a.json"));
    assert!(json.starts_with("{\n\t\"USER\": \"shop\",\n"), "{json}");
    let yaml = decrypted(&env, FileUse::Data("a.yaml"));
    assert!(yaml.starts_with("# of the user\nUSER: shop\n"), "{yaml}");
    assert_eq!(decrypted(&env, FileUse::Data("any")), text("decrypted/variables.env"));
    let flat = decrypted(&text("encrypted/encrypted-suffix.yaml"), FileUse::Data("config"));
    assert_eq!(flat, text("decrypted/encrypted-suffix.yaml"));
    // Flat values may be lines of any file.
    let refused = refused_as(&text("encrypted/values.yaml"), FileUse::Env);
    assert_eq!(refused.why, "cannot be written as lines `KEY=value`: it has lists or mappings");
}

#[test]
fn documents_that_were_encrypted_one_by_one_may_be_in_one_file() {
    let both = format!("{}---\n{}", text("encrypted/secret.yaml"), text("encrypted/suffix.yaml"));
    let expected = format!("{}---\n{}", text("decrypted/secret.yaml"), text("decrypted/suffix.yaml"));
    assert_eq!(decrypted(&both, FileUse::Manifest), expected);
    // None is left out.
    let other = format!("{}---\nkind: A\nsops: {{}}\n", text("encrypted/secret.yaml"));
    let why = refused(&sops(), &other).why;
    assert_eq!(why, "has a document without a MAC under `sops`, beside others with one");
    let open = format!("{}---\nkind: A\n", text("encrypted/suffix.yaml"));
    assert_eq!(refused(&sops(), &open).why, "has a value at `kind` that should be encrypted, but is not");
}

#[test]
fn what_is_not_from_sops_stays() {
    let long = "a: ENC[AES256_GCM,data:x]\nb:\n  sops: 1\n";
    for text in
        ["", "a: 1\n", "sops: {}\n", "sops:\n  mac: x\n", "\u{feff}{}", long, "sops:\n  a: ENC[AES256_GCM,\n"]
    {
        assert_eq!(sops().decrypt(FileUse::Manifest, text.as_bytes()), Ok(None), "{text}");
    }
    assert_eq!(sops().decrypt(FileUse::Data("a"), &[0xff, 0xfe]), Ok(None));
}

#[test]
fn a_file_that_was_changed_is_refused() {
    let file = text("encrypted/secret.yaml");
    let changed = |from: &str, to: &str| {
        let changed = file.replacen(from, to, 1);
        assert_ne!(changed, file, "{from}");
        refused(&sops(), &changed).why
    };
    let mac = "was changed after it was encrypted: its MAC does not fit its values";
    // A value that is not encrypted, an encrypted one, one of another key, one that is gone, the MAC, what it is bound to.
    assert_eq!(changed("name: database", "name: other"), mac);
    let user = file.lines().find(|line| line.starts_with("    user: ")).unwrap().split_once(": ").unwrap().1;
    let password =
        file.lines().find(|line| line.starts_with("    password: ")).unwrap().split_once(": ").unwrap().1;
    let at_user = "was changed after it was encrypted: the value at `stringData.user` cannot be decrypted";
    assert_eq!(changed(user, password), at_user);
    assert_eq!(changed("    user: ENC[AES256_GCM,data:", "    user: ENC[AES256_GCM,data:AAAA"), at_user);
    assert_eq!(changed(&format!("    user: {user}\n"), ""), mac);
    assert_eq!(changed("lastmodified: \"20", "lastmodified: \"19"), mac);
    let last = changed(&format!("user: {user}"), "user: PLANTED");
    assert_eq!(last, "has a value at `stringData.user` that should be encrypted, but is not");
}

#[test]
fn a_file_without_a_key_that_fits_is_refused() {
    let wrong = |file: &str| refused(&sops(), &text(&format!("refused/{file}")));
    let failure = wrong("another-recipient.yaml");
    assert!(
        failure.why.starts_with("is encrypted for age1")
            && failure.why.ends_with(", which the identity of age does not fit"),
        "{failure:?}"
    );
    assert!(failure.help.unwrap().contains("SOPS_AGE_KEY_FILE"));
    let failure = wrong("ssh.yaml");
    assert!(failure.why.starts_with("is encrypted for ssh-ed25519 AAAA"), "{failure:?}");
    assert!(
        failure.why.ends_with(", but kfc knows only recipients of age of the type X25519"),
        "{failure:?}"
    );
    let failure = wrong("pgp.yaml");
    assert!(failure.why.starts_with("is encrypted for PGP ("), "{failure:?}");
    assert!(failure.why.ends_with("), but kfc decrypts only with keys of age"), "{failure:?}");
    let failure = wrong("shamir.yaml");
    assert!(failure.why.starts_with("has 2 groups of keys, each with a part of its key"), "{failure:?}");
    assert!(wrong("values.ini").why.contains("INI"));
    let none = refused(&with_keys(""), &text("encrypted/secret.yaml"));
    assert!(none.why.ends_with(", and there is no identity of age"), "{none:?}");
    let broken = refused(&with_keys("AGE-SECRET-KEY-1PLANTED"), &text("encrypted/secret.yaml"));
    assert_eq!(broken.notes, ["`keys.txt` has an identity of age with a typing error"]);
}

#[test]
fn a_key_that_was_changed_is_refused() {
    let file = text("encrypted/secret.yaml");
    let start = file.find("-----BEGIN AGE").unwrap() + "-----BEGIN AGE ENCRYPTED FILE-----\n".len();
    let end = file.find("-----END AGE").unwrap();
    // A character of each line of the key: of the version, the recipient, the MAC, the payload.
    let mut lines = 0;
    for (at, _) in file.match_indices('\n').filter(|(at, _)| (start..end).contains(&(at - 3))) {
        let mut bytes = file.clone().into_bytes();
        bytes[at - 3] = if bytes[at - 3] == b'A' { b'B' } else { b'A' };
        refused(&sops(), &String::from_utf8(bytes).unwrap());
        lines += 1;
    }
    assert!(lines >= 4, "{lines}");
}

#[test]
fn no_change_of_a_byte_gives_another_value() {
    let sops = sops();
    for (name, path) in files("encrypted") {
        let file = std::fs::read(path).unwrap();
        let any = FileUse::Data("any");
        let whole = sops.decrypt(any, &file).unwrap().unwrap();
        // Every 61st byte, and the file cut off there.
        for at in (0..file.len()).step_by(61) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            if let Ok(Some(plain)) = sops.decrypt(any, &changed) {
                // What is not covered by the MAC: comments and keys of what is not encrypted, names of recipients, other rules.
                let same_values = |bytes: &[u8]| values(&String::from_utf8_lossy(bytes));
                assert_eq!(same_values(&plain), same_values(&whole), "{name} at byte {at}");
            }
            let _ = sops.decrypt(any, &file[..at]);
        }
    }
}

/// The values of a YAML or JSON text, or of lines, without keys and comments.
fn values(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let value = |line: &str| line.split_once(['=', ':']).map_or(line, |(_, value)| value).trim().to_owned();
    lines.map(value).collect()
}

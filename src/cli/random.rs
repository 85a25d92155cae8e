//! Randomness, from the operating system.

/// Fills a buffer with random bytes.
pub(super) fn fill(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // No secret may be made without it.
        super::output::note(&format!("error: the operating system has no randomness: {error}"));
        std::process::exit(i32::from(super::exit::FAILED));
    }
}

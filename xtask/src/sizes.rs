//! The program that is shipped: how large it is, and which libraries of the system it needs.

use crate::passing::Recorded;
use crate::program::{Beside, Failure, Finished, SHIPPED, command, failed, line, passed, succeed, text, top};

/// What every Linux has: the C library and the loader.
const LIBRARIES: [&str; 4] = ["linux-vdso", "libc.so", "libm.so", "libgcc_s.so"];

/// The libraries in the output of ldd that are not part of every Linux.
fn foreign_libraries(ldd: &str) -> Vec<&str> {
    let names = ldd.lines().filter_map(|line| line.split_whitespace().next());
    let is_expected = |name: &str| {
        LIBRARIES.iter().any(|library| name.starts_with(library))
            || (name.starts_with("/lib") && name.contains("/ld-linux"))
    };
    names.filter(|name| !is_expected(name)).collect()
}

const BUILD: &str = "cargo build --locked --profile dist";

/// Starts to compile the shipped program, at a lower priority. [`run`] waits until it is done, and compiles what then is missing, so
/// that nothing is lost when this fails.
pub(crate) fn begin() -> Result<Beside, Failure> {
    Beside::start(&mut line(&format!("nice -n 5 {BUILD}")))
}

pub(crate) fn run() -> Finished {
    succeed(&mut line(BUILD))?;
    let bytes = std::fs::metadata(top().join(SHIPPED))?.len();
    let recorded = Recorded::load()?;
    recorded.at_most("bytes", bytes)?;
    let linked = text(&mut command("ldd", [SHIPPED]))?;
    let foreign = foreign_libraries(&linked);
    if !foreign.is_empty() {
        return failed(format!("the program links more than libc: {}", foreign.join(", ")));
    }
    passed(format!("{bytes} bytes of at most {}, links libc alone", recorded.count("bytes")?))
}

#[cfg(test)]
mod tests {
    use super::foreign_libraries;

    #[test]
    fn libraries_beyond_libc_are_found() {
        let ldd = "\tlinux-vdso.so.1 (0x1)\n\tlibgcc_s.so.1 => /lib/libgcc_s.so.1 (0x2)\n\tlibm.so.6 => /lib/libm.so.6 (0x3)\n\t\
            libc.so.6 => /lib/libc.so.6 (0x4)\n\t/lib64/ld-linux-x86-64.so.2 (0x5)\n";
        assert_eq!(foreign_libraries(ldd), [""; 0]);
        assert_eq!(
            foreign_libraries(&format!("{ldd}\tlibssl.so.3 => /lib/libssl.so.3 (0x6)\n")),
            ["libssl.so.3"]
        );
    }
}

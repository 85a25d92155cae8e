//! Folded block scalars, as they come out of kustomize.
//!
//! On its way to JSON kustomize writes a resource with Go's YAML v3 library and reads it back. Folded blocks stay folded
//! there, and that library's writer looks at the first line of a text where it should look at the next one to tell whether a
//! line break has to be doubled: texts with indented lines come back with more line breaks, or with fewer.

use compact_str::CompactString;

/// What a text in the folded style is after it was written and read back; none when it stays the same, and when it would
/// not be written folded at all.
pub(crate) fn read_back(text: &str) -> Option<CompactString> {
    let is_short = !text.trim_end_matches('\n').contains('\n') && !text.ends_with("\n\n");
    if is_short || !is_written_folded(text) {
        return None;
    }
    let read = CompactString::from(read(&write(text), text));
    (read != text).then_some(read)
}

/// Spaces at the end of a line and characters that need escapes, for that library also those beyond U+FFFF, make the writer
/// choose double quotes.
fn is_written_folded(text: &str) -> bool {
    let breaks_otherwise = ['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'];
    let is_escaped = |c: char| {
        (c.is_control() && c != '\n' && c != '\t') || c > '\u{ffff}' || breaks_otherwise.contains(&c)
    };
    !text.ends_with(' ') && !text.contains(" \n") && !text.contains(is_escaped)
}

fn is_blank(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// The lines as they are written, without indentation.
fn write(text: &str) -> String {
    let first = text.trim_start_matches('\n');
    let may_double = !first.is_empty() && !is_blank(first);
    let mut out = String::with_capacity(text.len() + 8);
    let (mut after_break, mut is_indented) = (true, true);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            if !after_break && !is_indented && may_double {
                out.push('\n');
            }
            out.push('\n');
            after_break = true;
        }
        if !line.is_empty() {
            is_indented = is_blank(line);
            after_break = false;
            out.push_str(line);
        }
    }
    out
}

/// Reads lines as a folded block. The writer's mark says how many line breaks at its end count: none, one, or, where
/// `original` had more than one, all that were written.
fn read(lines: &str, original: &str) -> String {
    let mut text = String::with_capacity(lines.len());
    let (mut pending, mut after_indented, mut has_content) = (0, false, false);
    for (index, line) in lines.split('\n').enumerate() {
        pending += usize::from(index > 0);
        if line.is_empty() {
            continue;
        }
        let is_indented = is_blank(line);
        let folds = has_content && !after_indented && !is_indented;
        match pending {
            1 if folds => text.push(' '),
            breaks if folds => push_breaks(&mut text, breaks - 1),
            breaks => push_breaks(&mut text, breaks),
        }
        text.push_str(line);
        (pending, after_indented, has_content) = (0, is_indented, true);
    }
    let kept = original.len() - original.trim_end_matches('\n').len();
    push_breaks(&mut text, if kept > 1 { pending } else { kept });
    text
}

fn push_breaks(text: &mut String, count: usize) {
    text.extend(std::iter::repeat_n('\n', count));
}

#[cfg(test)]
mod tests {
    use super::read_back;

    #[test]
    fn a_line_break_is_added_before_indented_lines() {
        assert_eq!(read_back("u\n v\n").as_deref(), Some("u\n\n v\n"));
        assert_eq!(read_back("t\nu\n v\n w\nx").as_deref(), Some("t\nu\n\n v\n w\nx"));
        assert_eq!(read_back("t\n\n v\nw").as_deref(), Some("t\n\n\n v\nw"));
    }

    #[test]
    fn lines_are_joined_behind_an_indented_first_line() {
        assert_eq!(read_back(" v\nw\nx").as_deref(), Some(" v\nw x"));
    }

    #[test]
    fn a_line_break_is_added_at_the_end_of_kept_ones() {
        assert_eq!(read_back("x\n\n").as_deref(), Some("x\n\n\n"));
        assert_eq!(read_back("a b\nc\n\nd\n\n").as_deref(), Some("a b\nc\n\nd\n\n\n"));
        assert_eq!(read_back("a\n  b\n\n").as_deref(), Some("a\n\n  b\n\n"));
    }

    #[test]
    fn plain_paragraphs_stay() {
        for text in
            ["", "a", "a\n", "a b\nc\n\nd\n", "\na\nb", "a\tb\nc", "u \n v", "u\u{2028}\n v", "u\n v😀"]
        {
            assert_eq!(read_back(text), None, "{text:?}");
        }
    }
}

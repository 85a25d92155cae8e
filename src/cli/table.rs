//! Tables for people.

/// The fewest columns that are left for the last cell of a line.
const LEAST: usize = 20;

/// Columns side by side under their heads; the last one is not padded. Where a terminal has `width` columns, the last cell of
/// a line is cut to fit; a line that does not fit even so is left to the terminal.
pub(super) fn table<H: AsRef<str>>(heads: &[H], rows: &[Vec<String>], width: Option<usize>) -> String {
    let heads: Vec<String> = heads.iter().map(|head| head.as_ref().to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).collect();
    let widest = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(widest).collect();
    let before_last: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
    let room = width.map(|width| width.saturating_sub(before_last).max(LEAST));
    let mut out = String::new();
    for line in lines {
        let mut cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        if let (Some(last), Some(room)) = (cells.last_mut(), room) {
            *last = cut(last.trim_end(), room);
        }
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// As many characters of a text as there is room for.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn the_last_column_is_cut_to_the_terminal() {
        let rows = [vec!["a".to_owned(), "a description that is long".to_owned()]];
        assert_eq!(table(&["N", "D"], &rows, None), "N  D\na  a description that is long\n");
        assert_eq!(table(&["N", "D"], &rows, Some(24)), "N  D\na  a description that i…\n");
        assert_eq!(
            table(&["N", "D"], &rows, Some(5)),
            "N  D\na  a description that…\n",
            "a cell stays readable"
        );
    }
}

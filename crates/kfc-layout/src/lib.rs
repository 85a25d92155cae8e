//! Where the boxes of a layered graph are: one row for each depth, what others depend on at the bottom. In a row, boxes are
//! near the middle of those that they are connected with, so that few lines cross.
//!
//! This crate must never know what the boxes stand for, nor how they are written. Others may build on it.
//!
//! ```
//! use kfc_layout::{place, rows};
//!
//! // `web` and `jobs` need `store`.
//! let (web, jobs, store) = (0, 1, 2);
//! let rows = rows(&[1, 1, 0], &[(web, store), (jobs, store)]);
//! assert_eq!(rows, [vec![web, jobs], vec![store]]);
//! let boxes = place(&rows, &[100, 100, 100], 10);
//! assert_eq!((boxes[jobs].x, boxes[store].x), (128, 69));
//! ```

use std::collections::BTreeMap;

/// Height of a box.
pub const BOX_HEIGHT: usize = 44;
/// Space between rows.
pub const ROW_GAP: usize = 56;
/// Space between the boxes of a row.
const COLUMN_GAP: usize = 18;
/// How often boxes are moved towards their neighbours.
const PASSES: usize = 8;

/// A box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Its left side.
    pub x: usize,
    /// Its top.
    pub y: usize,
    /// Its width.
    pub width: usize,
}

impl Placed {
    /// The path, as SVG writes it, of a line from the bottom of this box to the top of another.
    #[must_use]
    pub fn line_to(self, other: Self) -> String {
        let (x1, y1) = (self.x + self.width / 2, self.y + BOX_HEIGHT);
        let (x2, y2) = (other.x + other.width / 2, other.y);
        let bend = ROW_GAP / 2;
        format!("M{x1} {y1}C{x1} {} {x2} {} {x2} {y2}", y1 + bend, y2.saturating_sub(bend))
    }
}

/// The nodes in rows, the deepest first, each row in its order from left to right. `depths` has the depth of each node, and
/// `edges` what is connected.
#[must_use]
pub fn rows(depths: &[usize], edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut by_depth: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, depth) in depths.iter().enumerate() {
        by_depth.entry(*depth).or_default().push(at);
    }
    let mut rows: Vec<Vec<usize>> = by_depth.into_values().rev().collect();
    let mut positions = vec![0; depths.len()];
    for pass in 0..PASSES {
        // In thousandths of the width.
        for row in &rows {
            for (nth, at) in row.iter().enumerate() {
                positions[*at] = (2 * nth + 1) * 1000 / (2 * row.len());
            }
        }
        let count = rows.len();
        for nth in 0..count {
            let nth = if pass % 2 == 0 { nth } else { count - 1 - nth };
            rows[nth].sort_by_cached_key(|at| (middle_of_neighbours(*at, edges, &positions), *at));
        }
    }
    rows
}

/// The mean position of the nodes that a node is connected with, or its own.
fn middle_of_neighbours(at: usize, edges: &[(usize, usize)], positions: &[usize]) -> usize {
    let neighbours = edges.iter().filter_map(|(from, to)| match (*from == at, *to == at) {
        (true, _) => Some(positions[*to]),
        (_, true) => Some(positions[*from]),
        _ => None,
    });
    let (sum, count) = neighbours.fold((0, 0), |(sum, count), position| (sum + position, count + 1));
    sum.checked_div(count).unwrap_or(positions[at])
}

/// The boxes of the nodes, by their indices: each row in the middle, `margin` around all of them.
#[must_use]
pub fn place(rows: &[Vec<usize>], widths: &[usize], margin: usize) -> Vec<Placed> {
    let row_width = |row: &[usize]| row.iter().map(|at| widths[*at] + COLUMN_GAP).sum::<usize>();
    let widest = rows.iter().map(|row| row_width(row)).max().unwrap_or(0);
    let mut boxes = vec![Placed::default(); widths.len()];
    for (nth, row) in rows.iter().enumerate() {
        let mut x = margin + (widest - row_width(row)) / 2;
        for at in row {
            boxes[*at] = Placed { x, y: margin + nth * (BOX_HEIGHT + ROW_GAP), width: widths[*at] };
            x += widths[*at] + COLUMN_GAP;
        }
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::{Placed, place, rows};

    #[test]
    fn boxes_are_above_what_they_are_connected_with() {
        // Only 2 and 3 are connected: 2 moves to the left, 3 to the right.
        assert_eq!(rows(&[1, 1, 1, 0, 0], &[(2, 3)]), [vec![0, 2, 1], vec![4, 3]]);
        assert_eq!(rows(&[], &[]), [[0; 0]; 0]);
        // A depth that no node has takes no row.
        assert_eq!(rows(&[4, 0], &[]), [[0], [1]]);
    }

    #[test]
    fn rows_are_in_the_middle() {
        let boxes = place(&[vec![0, 1], vec![2]], &[40, 60, 20], 5);
        assert_eq!(boxes[0], Placed { x: 5, y: 5, width: 40 });
        assert_eq!(boxes[1], Placed { x: 63, y: 5, width: 60 });
        assert_eq!(boxes[2], Placed { x: 54, y: 105, width: 20 });
        assert_eq!(boxes[0].line_to(boxes[2]), "M25 49C25 77 64 77 64 105");
    }
}

//! Comments, and the tokens that they belong to, by the rules of Go's YAML library: a comment on lines of its own is the
//! head of what follows, or the foot of what ended before; one after a value belongs to the line.

use super::scanner::Scanner;
use super::token::{Comment, Position, Relation, Sort};

/// Characters after a comment in which the next one has to begin.
const REACH: usize = 512;

/// A comment while its lines are read.
struct Draft {
    text: String,
    start: Position,
    token: usize,
    scan: usize,
}

impl Scanner<'_> {
    fn push_comment(&mut self, relation: Relation, draft: &mut Draft, end: usize) {
        let text = std::mem::take(&mut draft.text);
        let comment =
            Comment { relation, text, token: draft.token, start: draft.start, end, scan: draft.scan };
        if let Some(comments) = &mut self.comments {
            comments.push_back(comment);
        }
        (draft.scan, draft.token) = (end, end);
    }

    /// Takes a comment after the token that starts at `token`.
    pub(super) fn scan_line_comment(&mut self, token: usize) {
        if self.newlines > 0 || self.comments.is_none() {
            return;
        }
        let blanks = (0..REACH).take_while(|ahead| self.is_blank(*ahead)).count();
        if self.byte(blanks) != b'#' {
            return;
        }
        self.skip(blanks);
        let start = self.at;
        let mut draft = Draft { text: String::new(), start, token, scan: 0 };
        self.read_line(&mut draft.text);
        // Its end does not count where the ends of others are looked for.
        self.push_comment(Relation::Line, &mut draft, 0);
    }

    fn read_line(&mut self, into: &mut String) {
        while !self.is_break_or_end(0) {
            self.copy_character(into);
        }
    }

    /// A line comment before the first item of a list is the head of that item.
    pub(super) fn turn_line_comment(&mut self) {
        let is_first_item = self.last.0.is_some_and(|(sort, _)| sort == Sort::BlockEntry)
            && self.last.1.is_some_and(|(sort, _)| sort == Sort::BlockSequenceStart);
        if !is_first_item || self.is_break(0) {
            return;
        }
        let here = self.at;
        let Some(comment) = self.comments.as_mut().and_then(|comments| comments.back_mut()) else { return };
        if comment.relation == Relation::Line {
            comment.relation = Relation::Head;
            if comment.start.line + 1 == here.line {
                comment.token = here.byte;
            }
        }
    }

    /// Takes the comments from here on; the blanks before them begin at `scan`.
    pub(super) fn scan_comments(&mut self, scan: Position) {
        let (last, before) = self.last;
        let token = match (last, before) {
            (Some((Sort::FlowEntry, _)), Some(before)) => Some(before),
            (last, _) => last,
        };
        let follows_value = token.is_some_and(|(sort, _)| sort == Sort::Value);
        let token = token.map_or(0, |(_, at)| at);
        let mut draft = Draft { text: String::new(), start: Position::default(), token, scan: scan.byte };
        let foot_line = self.foot_line(scan);
        let (mut line, mut column) = (self.at.line, self.at.column);
        let (mut is_after_empty, mut is_first_gap) = (false, self.newlines <= 1);
        let mut ahead = 0;
        while ahead < REACH {
            column += 1;
            if self.is_blank(ahead) {
                ahead += 1;
                continue;
            }
            let closes_flow = self.is_in_flow() && matches!(self.byte(ahead), b']' | b'}');
            let is_outside = self.is_left_of_block(draft.start.column);
            if closes_flow || self.is_break_or_end(ahead) {
                let is_foot = closes_flow
                    || is_first_gap && (Some(draft.start.line) == foot_line && !follows_value || is_outside);
                if (closes_flow || !is_after_empty) && !draft.text.is_empty() {
                    if is_foot {
                        if is_outside {
                            draft.token = draft.start.byte;
                        }
                        self.push_comment(Relation::Foot, &mut draft, self.at.byte + ahead);
                    } else if !self.is_end(ahead) {
                        draft.text.push('\n');
                    }
                }
                if !self.is_break(ahead) {
                    break;
                }
                (is_first_gap, is_after_empty, column) = (false, true, 0);
                line += 1;
                ahead += 1;
                continue;
            }
            let is_dedented = self.is_left_of_block(column) && column != draft.start.column;
            if is_dedented && !draft.text.is_empty() {
                self.push_comment(Relation::Foot, &mut draft, self.at.byte + ahead);
            }
            if self.byte(ahead) != b'#' {
                break;
            }
            if draft.text.is_empty() {
                draft.start = Position { byte: self.at.byte + ahead, line, column, ..Position::default() };
            } else {
                draft.text.push('\n');
            }
            is_after_empty = false;
            self.skip_to(self.at.byte + ahead);
            self.read_line(&mut draft.text);
            // The line break at the end of the comment is passed over.
            ahead = 1;
            column = 0;
            line = self.at.line;
        }
        if !draft.text.is_empty() {
            draft.token = draft.start.byte;
            self.push_comment(Relation::Head, &mut draft, (self.at.byte + ahead).saturating_sub(1));
        }
    }

    /// The line on which a comment is the foot of what is before it; nothing at the start of the text.
    fn foot_line(&self, scan: Position) -> Option<usize> {
        let is_inside = self.newlines == 0 && self.at.column > 1;
        (scan.line > 0)
            .then(|| self.at.line + 1 + usize::from(is_inside) - self.newlines.min(self.at.line + 1))
    }

    /// Whether a column, counted from 1, is left of the innermost block.
    fn is_left_of_block(&self, column: usize) -> bool {
        isize::try_from(column).unwrap_or(isize::MAX) - 1 < self.indent.max(0)
    }

    fn skip_to(&mut self, byte: usize) {
        while self.at.byte < byte {
            if self.is_break(0) {
                self.skip_break();
            } else {
                self.skip_character();
            }
        }
    }

    /// Where the end of a block is, whose blanks before the next token begin at `start`: before the comments in its column.
    pub(super) fn block_end(&self, start: &mut usize) -> usize {
        let mut stop = *start;
        for comment in self.comments.iter().flatten().rev() {
            if comment.end < stop {
                break;
            }
            if isize::try_from(comment.start.column).is_ok_and(|column| column == self.indent + 1) {
                *start = comment.start.byte;
            }
            stop = comment.scan;
        }
        *start
    }
}

//! What is expected here is what Go's YAML library gives for kustomize.

use super::{parse, write};

fn rewritten(text: &str) -> String {
    write(&parse(text).unwrap())
}

#[test]
fn comments_stay_where_they_belong() {
    let text = "# file\n\n# first\na: 1 # line\n# foot of a\n\nb: # of the key\n  c: 2\n  # end of b\n# before d\nd:\n# item\n- x # x\n- # of a mapping\n  y: z\n";
    assert_eq!(rewritten(text), text);
}

#[test]
fn styles_and_tags_stay_and_blanks_go() {
    let text = "a:   'x'\nb: \"y\"\n\n\nc: {d: [1,  'e'], f: }\ng: |\n    text\nh: >-\n  one\n  two\ni: !!str 1\nj: &k !mine v\nl: *k\n";
    let expected = "a: 'x'\nb: \"y\"\nc: {d: [1, 'e'], f: ''}\ng: |\n  text\nh: >-\n  one two\ni: !!str 1\nj: &k !mine v\nl: *k\n";
    assert_eq!(rewritten(text), expected);
}

#[test]
fn lists_are_in_the_column_of_their_keys() {
    assert_eq!(rewritten("a:\n    - b: 1\n      c:\n          - d\n"), "a:\n- b: 1\n  c:\n  - d\n");
    assert_eq!(rewritten("- - a\n  - b\n-\n  - c\n"), "- - a\n  - b\n- - c\n");
}

#[test]
fn the_tag_of_a_merge_key_is_written() {
    assert_eq!(rewritten("a: &a {b: 1}\nc:\n  <<: *a\n"), "a: &a {b: 1}\nc:\n  !!merge <<: *a\n");
}

#[test]
fn what_is_no_yaml_has_no_document() {
    for text in ["a: [", "a: *b", "", "# nothing\n"] {
        assert_eq!(parse(text), None, "{text}");
    }
}

fn main() {
    let text = std::io::read_to_string(std::io::stdin()).unwrap();
    let docs = kfc::yaml::parse::parse(&text, kfc::diagnostics::SourceId(0)).unwrap();
    let refs: Vec<_> = docs.iter().collect();
    for c in kfc::yaml::emit::emit_all(&refs).unwrap() { print!("{}", String::from_utf8_lossy(&c)); }
}

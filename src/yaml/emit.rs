//! Writes nodes as kustomize writes them.

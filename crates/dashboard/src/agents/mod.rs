//! Agents: the list, the editor with a preview and a trial call beside it, and versions with what changed between them.

pub(crate) mod editor;
pub(crate) mod list;
pub(crate) mod versions;

//! Agents: the list, the editor with a preview beside it, talking to them, and versions with what changed between them.

pub(crate) mod editor;
pub(crate) mod list;
pub(crate) mod talk;
pub(crate) mod versions;

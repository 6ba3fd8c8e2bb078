//! The modules of a crate, what each uses of the others, and the circles in that.
//!
//! The source is read as tokens, so comments and texts mislead nobody, and the insides of macros count like other code. A use is a
//! path that begins with `crate`, `super`, `self` or a child module. A name that a module only hands on (`pub use`) leads to where
//! it comes from, and code under `#[cfg(test)]` does not count. Not seen are ties without a path: a method called on a value whose
//! `impl` stands in another module, or a trait that comes into scope through a glob.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The name of a module within its crate: `["calls", "intake"]`; the crate's root has none.
type Name = Vec<String>;

/// Modules that use one another, and with which names.
#[derive(Debug, PartialEq, Eq)]
pub struct Circle {
    /// The modules that are tied, such as `calls::dial`; the crate's root has no name.
    pub modules: BTreeSet<String>,
    /// Who uses whom, and for what: `calls::dial -> calls::intake (Observer)`.
    pub arrows: Vec<String>,
}

/// The circles within a crate: between single modules, and between neighbouring modules taken with everything below them.
///
/// Expects the crate's files by their paths below `src`; fails with the path of a file that is no Rust.
pub fn circles(files: &[(&Path, &str)]) -> Result<Vec<Circle>, String> {
    let mut modules = BTreeMap::new();
    for (path, text) in files {
        let module = Module::read(text).ok_or_else(|| path.display().to_string())?;
        let name = name_of(path);
        if name.last().is_none_or(|last| last != "tests") {
            modules.entry(name).or_insert_with(Module::default).join(module);
        }
    }
    let arrows = Arrows::between(&modules);
    let mut found: Vec<Circle> =
        arrows.circles().iter().map(|inside| arrows.circle(|name| inside.get(name))).collect();
    let parents: BTreeSet<&[String]> = modules.keys().filter_map(|name| Some(name.split_last()?.1)).collect();
    for parent in parents {
        for inside in arrows.collapsed(parent).circles() {
            let circle = arrows.circle(|name| inside.iter().find(|part| name.starts_with(part)));
            if !found.contains(&circle) {
                found.push(circle);
            }
        }
    }
    Ok(found)
}

/// `calls/mod.rs` and `calls.rs` are `calls`; `lib.rs` and `main.rs` are the root.
fn name_of(path: &Path) -> Name {
    let mut name: Name = path
        .with_extension("")
        .components()
        .filter_map(|part| if let Component::Normal(part) = part { part.to_str() } else { None })
        .map(str::to_owned)
        .collect();
    let is_root = matches!(name.as_slice(), [only] if only == "lib" || only == "main");
    if is_root || name.last().is_some_and(|last| last == "mod") {
        name.pop();
    }
    name
}

/// A path as it stands in the code, and in which inline module of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spelled {
    inline: Name,
    path: Vec<String>,
}

/// What one file says.
#[derive(Debug, Default)]
struct Module {
    children: BTreeSet<String>,
    defined: BTreeSet<String>,
    /// Names brought in by `use`, with where they come from.
    names: BTreeMap<String, Spelled>,
    globs: Vec<Spelled>,
    /// Paths in the code, and those of a `use` that is for this module itself.
    used: Vec<Spelled>,
    /// Names that a `pub use` hands on: a use of this module only if its own code says them too.
    handed_on: BTreeMap<String, Spelled>,
    words: BTreeSet<String>,
}

impl Module {
    fn read(text: &str) -> Option<Self> {
        let tokens: TokenStream = text.parse().ok()?;
        let mut module = Self::default();
        module.declarations(&tokens);
        module.code(&tokens, &[]);
        Some(module)
    }

    fn join(&mut self, other: Self) {
        self.children.extend(other.children);
        self.defined.extend(other.defined);
        self.names.extend(other.names);
        self.globs.extend(other.globs);
        self.used.extend(other.used);
        self.handed_on.extend(other.handed_on);
        self.words.extend(other.words);
    }

    /// The child modules, which must be known before paths are read.
    fn declarations(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = without_tests(tokens);
        for three in tokens.windows(3) {
            if let [mod_, TokenTree::Ident(name), end] = three
                && is_word(mod_, "mod")
                && is_punct(end, ';')
            {
                self.children.insert(name.to_string());
            }
        }
    }

    fn code(&mut self, tokens: &TokenStream, inline: &[String]) {
        let tokens = without_tests(tokens);
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Ident(word) if word == "use" && begins_item(&tokens, at) => {
                    self.use_item(&tokens, at, inline)
                }
                TokenTree::Ident(word) if word == "pub" => match tokens.get(at + 1) {
                    // `pub(in crate::x)` says who may see, not what is used.
                    Some(TokenTree::Group(seen_by)) if seen_by.delimiter() == Delimiter::Parenthesis => {
                        at + 2
                    }
                    _ => at + 1,
                },
                TokenTree::Ident(word) if word == "mod" => self.inline_module(&tokens, at, inline),
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    if matches!(
                        word.as_str(),
                        "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union"
                    ) && let Some(TokenTree::Ident(name)) = tokens.get(at + 1)
                    {
                        self.defined.insert(name.to_string());
                    }
                    if word == "macro_rules"
                        && let Some(TokenTree::Ident(name)) = tokens.get(at + 2)
                    {
                        self.defined.insert(name.to_string());
                    }
                    let (path, next) = path_at(&tokens, at);
                    if path.len() > 1 && self.leads_inside(&path) && !follows_path(&tokens, at) {
                        self.used.push(Spelled { inline: inline.to_vec(), path });
                        next
                    } else {
                        self.words.insert(word);
                        at + 1
                    }
                }
                TokenTree::Group(group) => {
                    self.code(&group.stream(), inline);
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// True for a path into this crate.
    fn leads_inside(&self, path: &[String]) -> bool {
        path.first().is_some_and(|first| {
            matches!(first.as_str(), "crate" | "super" | "self") || self.children.contains(first)
        })
    }

    fn inline_module(&mut self, tokens: &[TokenTree], at: usize, inline: &[String]) -> usize {
        if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
            (tokens.get(at + 1), tokens.get(at + 2))
        {
            let mut inside = inline.to_vec();
            inside.push(name.to_string());
            self.code(&body.stream(), &inside);
            return at + 3;
        }
        at + 1
    }

    fn use_item(&mut self, tokens: &[TokenTree], at: usize, inline: &[String]) -> usize {
        let end = (at..tokens.len()).find(|&at| is_punct(&tokens[at], ';')).unwrap_or(tokens.len());
        let mut leaves = Vec::new();
        use_tree(&tokens[at + 1..end], &[], &mut leaves);
        let is_public = match at.checked_sub(1).map(|before| &tokens[before]) {
            Some(TokenTree::Ident(word)) => word == "pub",
            Some(TokenTree::Group(seen_by)) => seen_by.delimiter() == Delimiter::Parenthesis,
            _ => false,
        };
        for Leaf { path, name } in leaves {
            let spelled = Spelled { inline: inline.to_vec(), path };
            let inside = self.leads_inside(&spelled.path);
            match name {
                None if inside => {
                    self.globs.push(spelled.clone());
                    if !is_public {
                        self.used.push(spelled);
                    }
                }
                None => {}
                Some(name) => {
                    if inside && is_public {
                        self.handed_on.insert(name.clone(), spelled.clone());
                    } else if inside {
                        self.used.push(spelled.clone());
                    }
                    // A name from another crate counts as known, so that it is not looked for here; a word alone hands on a
                    // macro of this file.
                    if inside || spelled.path.len() > 1 {
                        self.names.insert(name, spelled);
                    }
                }
            }
        }
        end + 1
    }
}

/// One name that a `use` brings in; none for a glob.
struct Leaf {
    path: Vec<String>,
    name: Option<String>,
}

fn use_tree(tokens: &[TokenTree], prefix: &[String], leaves: &mut Vec<Leaf>) {
    for branch in tokens.split(|token| is_punct(token, ',')) {
        let mut path = prefix.to_vec();
        let mut renamed = None;
        let mut words = branch.iter().peekable();
        let mut is_leaf = true;
        while let Some(token) = words.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    renamed = words.next().map(ToString::to_string);
                }
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    use_tree(&inner, &path, leaves);
                    is_leaf = false;
                }
                star if is_punct(star, '*') => {
                    leaves.push(Leaf { path: path.clone(), name: None });
                    is_leaf = false;
                }
                _ => {}
            }
        }
        if is_leaf && let Some(last) = path.last().cloned() {
            leaves.push(Leaf { path, name: Some(renamed.unwrap_or(last)) });
        }
    }
}

/// The path that begins at a token, `crate::a::b`, and the place after it.
fn path_at(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        at += 1;
        match (tokens.get(at), tokens.get(at + 1), tokens.get(at + 2)) {
            (Some(first), Some(second), Some(TokenTree::Ident(_))) if is_colons(first, second) => at += 2,
            _ => break,
        }
    }
    (path, at)
}

/// True if the word belongs to a longer path, `x::word`, or is a field or method, `x.word`.
fn follows_path(tokens: &[TokenTree], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| is_punct(&tokens[before], ':') || is_punct(&tokens[before], '.'))
        && !at.checked_sub(2).is_some_and(|before| {
            // `field: crate::X` has one colon, `range..crate::X` two dots.
            let (first, second) = (&tokens[before], &tokens[at - 1]);
            is_punct(second, ':') && !is_colons(first, second) || is_punct(first, '.')
        })
}

/// `use` of the language, not of `impl Trait + use<'a>`.
fn begins_item(tokens: &[TokenTree], at: usize) -> bool {
    !tokens.get(at + 1).is_some_and(|next| is_punct(next, '<'))
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

fn is_colons(first: &TokenTree, second: &TokenTree) -> bool {
    matches!(first, TokenTree::Punct(found) if found.as_char() == ':' && found.spacing() == Spacing::Joint)
        && is_punct(second, ':')
}

/// The tokens of one level without the items that only tests see.
fn without_tests(tokens: &TokenStream) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let guards_test = is_punct(&token, '#')
            && matches!(tokens.peek(), Some(TokenTree::Group(group))
                if group.delimiter() == Delimiter::Bracket && group.stream().to_string().replace(' ', "") == "cfg(test)");
        if !guards_test {
            kept.push(token);
            continue;
        }
        tokens.next();
        let mut is_use = false;
        for skipped in tokens.by_ref() {
            is_use |= is_word(&skipped, "use");
            let is_body =
                matches!(&skipped, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if is_punct(&skipped, ';') || (is_body && !is_use) {
                break;
            }
        }
    }
    kept
}

/// Who uses whom, with the names used.
#[derive(Debug, Default)]
struct Arrows(BTreeMap<Name, BTreeMap<Name, BTreeSet<String>>>);

impl Arrows {
    fn between(modules: &BTreeMap<Name, Module>) -> Self {
        let mut arrows = Self::default();
        for (from, module) in modules {
            let for_itself = module.handed_on.iter().filter(|(name, _)| module.words.contains(*name));
            let uses = module.used.iter().chain(for_itself.map(|(_, spelled)| spelled));
            for spelled in uses {
                let path = absolute(modules, from, spelled);
                let what = path.last().cloned().unwrap_or_default();
                for to in targets(modules, path, 0) {
                    arrows.add(from, to, &what);
                }
            }
        }
        arrows
    }

    fn add(&mut self, from: &[String], to: Name, what: &str) {
        if from != to {
            self.0.entry(from.to_vec()).or_default().entry(to).or_default().insert(what.to_owned());
        }
    }

    /// The arrows between the children of a module, each taken with everything below it.
    fn collapsed(&self, parent: &[String]) -> Self {
        let child = |name: &Name| -> Option<Name> {
            let child = name.get(..=parent.len())?;
            child.starts_with(parent).then(|| child.to_vec())
        };
        let mut collapsed = Self::default();
        for (from, to, what) in self.all() {
            if let (Some(from), Some(to)) = (child(from), child(to)) {
                for what in what {
                    collapsed.add(&from, to.clone(), what);
                }
            }
        }
        collapsed
    }

    fn all(&self) -> impl Iterator<Item = (&Name, &Name, &BTreeSet<String>)> {
        self.0.iter().flat_map(|(from, targets)| targets.iter().map(move |(to, what)| (from, to, what)))
    }

    /// Sets of modules, each of which reaches all others of its set.
    fn circles(&self) -> Vec<BTreeSet<Name>> {
        let reach: BTreeMap<&Name, BTreeSet<&Name>> =
            self.0.keys().map(|name| (name, self.reachable(name))).collect();
        let mut found: Vec<BTreeSet<Name>> = Vec::new();
        for (name, reached) in &reach {
            if reached.contains(*name) && !found.iter().any(|circle| circle.contains(*name)) {
                let comes_back =
                    |other: &&&Name| reach.get(**other).is_some_and(|reached| reached.contains(*name));
                found.push(reached.iter().filter(comes_back).map(|other| (*other).clone()).collect());
            }
        }
        found
    }

    fn reachable(&self, from: &Name) -> BTreeSet<&Name> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Name> = vec![from];
        while let Some(name) = open.pop() {
            for to in self.0.get(name).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(to) {
                    open.push(to);
                }
            }
        }
        reached
    }

    /// What ties the parts of a circle; `part` tells to which of them a module belongs.
    fn circle<'a>(&'a self, part: impl Fn(&'a Name) -> Option<&'a Name>) -> Circle {
        let shown = |name: &Name| if name.is_empty() { "the root".to_owned() } else { name.join("::") };
        let tied: Vec<_> = self
            .all()
            .filter(|(from, to, _)| part(from).is_some() && part(to).is_some() && part(from) != part(to))
            .collect();
        let modules = tied.iter().flat_map(|(from, to, _)| [from.join("::"), to.join("::")]).collect();
        let arrows = tied
            .into_iter()
            .map(|(from, to, what)| {
                let names: Vec<&str> = what.iter().map(String::as_str).collect();
                format!("{} -> {} ({})", shown(from), shown(to), names.join(", "))
            })
            .collect();
        Circle { modules, arrows }
    }
}

/// A path from the root of the crate, without `crate`, `super` and `self`.
fn absolute(modules: &BTreeMap<Name, Module>, module: &[String], spelled: &Spelled) -> Vec<String> {
    let mut base: Name = module.to_vec();
    base.extend(spelled.inline.iter().cloned());
    let mut rest = spelled.path.as_slice();
    if let [first, after @ ..] = rest {
        match first.as_str() {
            "crate" => {
                base.clear();
                rest = after;
            }
            "self" => rest = after,
            _ => {}
        }
    }
    while let [first, after @ ..] = rest
        && first == "super"
    {
        base.pop();
        rest = after;
    }
    // Inline modules are part of their file.
    let mut path = base;
    if !modules.contains_key(&path) {
        path.truncate(module.len());
    }
    path.extend(rest.iter().cloned());
    path
}

/// The modules in which the thing at the end of a path may stand.
fn targets(modules: &BTreeMap<Name, Module>, path: Vec<String>, hops: usize) -> BTreeSet<Name> {
    let length = (0..=path.len()).rev().find(|&length| modules.contains_key(&path[..length]));
    let Some(length) = length.filter(|_| hops < 16) else { return BTreeSet::new() };
    let (name, rest) = path.split_at(length);
    let module = &modules[name];
    let Some(item) = rest.first() else { return BTreeSet::from([name.to_vec()]) };
    if module.defined.contains(item) {
        return BTreeSet::from([name.to_vec()]);
    }
    if let Some(spelled) = module.names.get(item) {
        let inside = module.leads_inside(&spelled.path);
        if !inside {
            return BTreeSet::new();
        }
        let mut onwards = absolute(modules, name, spelled);
        onwards.extend(rest[1..].iter().cloned());
        return targets(modules, onwards, hops + 1);
    }
    // Made by a macro here, or brought by a glob from one of these.
    let mut all = BTreeSet::from([name.to_vec()]);
    for glob in &module.globs {
        let mut onwards = absolute(modules, name, glob);
        onwards.extend(rest.iter().cloned());
        all.extend(targets(modules, onwards, hops + 1));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let files: Vec<(&Path, &str)> = files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
        circles(&files).expect("Rust").into_iter().map(|circle| circle.arrows).collect()
    }

    fn no_circle(files: &[(&str, &str)]) {
        assert_eq!(arrows(files), Vec::<Vec<String>>::new());
    }

    #[test]
    fn two_modules_that_use_each_other_are_a_circle_and_its_ties_are_named() {
        let found = arrows(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::{self, Thing}; pub struct Other;"),
            ("b.rs", "pub struct Thing; fn f(x: super::a::Other) {}"),
        ]);
        assert_eq!(found, [["a -> b (Thing, b)", "b -> a (Other)"]]);
    }

    #[test]
    fn a_circle_may_take_several_steps() {
        let found = arrows(&[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::a::A;"),
            ("d.rs", "use crate::a::A;"),
        ]);
        assert_eq!(found, [["a -> b (B)", "b -> c (C)", "c -> a (A)"]]);
    }

    #[test]
    fn arrows_in_one_direction_are_none() {
        no_circle(&[
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "pub struct B;"),
        ]);
    }

    #[test]
    fn paths_in_code_and_in_macros_count_like_imports() {
        for body in [
            "fn f() { crate::a::f() }",
            "fn f() { let x: crate::a::A = y; }",
            "fn f() { format!(\"{}\", super::a::f()) }",
            "macro_rules! m { () => { $crate::a::f() } }",
            "fn f() { for x in 0..crate::a::LIMIT {} }",
            "mod inner { fn f() { super::super::a::f() } }",
            "mod inner { fn f() { use crate::a::f as g; } }",
        ] {
            let found = arrows(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::f; fn f() {}"),
                ("b.rs", body),
            ]);
            assert_eq!(found.len(), 1, "{body}");
        }
    }

    #[test]
    fn comments_texts_visibility_and_tests_do_not_count() {
        for body in [
            "/// See crate::a::f.\nfn f() {} // crate::a::f()",
            "const TEXT: &str = \"crate::a::f\";",
            "pub(in crate::a) fn f() {}",
            "#[cfg(test)] mod tests { use crate::a::f; }",
            "#[cfg(test)] use crate::a::{f, g}; fn f() {}",
            "fn f() {} #[cfg(test)] #[test] fn t() { crate::a::f() }",
            "fn f(x: Other) { x.a::<u8>() }",
            "fn f() { other::a::f() }",
        ] {
            no_circle(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::f; fn f() {}"),
                ("b.rs", body),
                ("b/tests.rs", "use crate::a::f;"),
            ]);
        }
    }

    #[test]
    fn code_after_the_tests_of_a_file_still_counts() {
        let found = arrows(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::f;"),
            ("b.rs", "#[cfg(test)] mod tests; fn f() { crate::a::g() }"),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_name_that_is_handed_on_leads_to_where_it_comes_from() {
        // `App` stands in `platform`, which the root only shows.
        no_circle(&[
            ("lib.rs", "mod calls; mod platform; pub use platform::App;"),
            ("platform.rs", "pub struct App;"),
            ("calls.rs", "use crate::App;"),
        ]);
        let found = arrows(&[
            ("lib.rs", "mod calls; mod platform; pub use platform::App;"),
            ("platform.rs", "use crate::calls::Calls; pub struct App;"),
            ("calls.rs", "use crate::App; pub struct Calls;"),
        ]);
        assert_eq!(found, [["calls -> platform (App)", "platform -> calls (Calls)"]]);
    }

    #[test]
    fn a_root_that_uses_what_uses_it_is_a_circle() {
        let found = arrows(&[
            ("lib.rs", "mod state; pub struct App { state: state::State }"),
            ("state.rs", "use crate::App; pub struct State;"),
        ]);
        assert_eq!(found, [["the root -> state (State)", "state -> the root (App)"]]);
        // Handing a name on is no use of it, unless the code says the name too.
        let found = arrows(&[
            ("lib.rs", "mod state; pub use state::State; pub struct App { state: State }"),
            ("state.rs", "use crate::App; pub struct State;"),
        ]);
        assert_eq!(found.len(), 1);
        no_circle(&[
            ("lib.rs", "mod state; pub use state::State; pub struct App;"),
            ("state.rs", "use crate::App; pub struct State;"),
        ]);
    }

    #[test]
    fn globs_lead_on_to_what_they_bring() {
        let found = arrows(&[
            ("lib.rs", "mod a; mod ids; pub use ids::*;"),
            ("a.rs", "use crate::Id; pub struct A;"),
            ("ids.rs", "use crate::a::A; pub struct Id;"),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn folders_that_use_each_other_are_a_circle_even_if_no_two_files_are() {
        let found = arrows(&[
            ("lib.rs", "mod calls; mod jobs;"),
            ("calls/mod.rs", "pub mod intake; pub mod place;"),
            ("calls/intake.rs", "use crate::jobs::wrap_up::run;"),
            ("calls/place.rs", ""),
            ("jobs/mod.rs", "pub mod sweep; pub mod wrap_up;"),
            ("jobs/sweep.rs", "use crate::calls::place::place;"),
            ("jobs/wrap_up.rs", "pub fn run() {}"),
        ]);
        assert_eq!(found, [["calls::intake -> jobs::wrap_up (run)", "jobs::sweep -> calls::place (place)"]]);
    }
}

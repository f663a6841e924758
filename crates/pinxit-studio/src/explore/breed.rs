//! Breeding: parents into children by crossover and mutation, and the family tree of a folder.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pinxit_create::{Latents, Numbers, Operation, Painter, Recipe};
use pinxit_tensor::Rng;
use serde::Serialize;

use super::{Pictures, order};
use crate::event::{Event, Task, Watcher, figures};
use crate::generate::{Generated, Order, Printing, publish};
use crate::origin::Origin;
use crate::{Error, Result, Studio};

/// How children come about.
#[derive(Clone, Copy, Debug)]
pub struct Breeding {
    /// How many.
    pub children: usize,
    /// One number from which every choice follows.
    pub seed: u64,
    /// Strength of the mutation, in deviations of w; 0 for none.
    pub mutation: f64,
}

/// Breeds pictures, and writes the children as `FIRST-PARENT-child-1.png`, ….
pub fn breed(
    studio: &Studio,
    parents: Pictures<'_>,
    breeding: &Breeding,
    printing: &Printing,
    watcher: &mut dyn Watcher,
) -> Result<Generated> {
    let (mut painter, recipes) = super::recipes_of(studio, parents)?;
    let children = children(&mut painter, &recipes, breeding)?;
    let stem = parents.files[0].file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let origin = Origin::inputs(parents.files)?;
    let order = |(i, recipe)| order((&stem, &format!("child-{}", i + 1)), recipe, origin.clone(), printing);
    let orders = children.into_iter().enumerate().map(order);
    let orders: Vec<Order> = orders.collect::<Result<_>>()?;
    watcher.event(Event::Started { task: Task::Explore, name: painter.model().name.clone() });
    let made = publish(studio, &mut painter, &orders, printing, watcher)?;
    watcher.event(Event::Finished { task: Task::Explore, result: figures(&made), next: Vec::new() });
    Ok(made)
}

/// The recipes of the children: each takes every stage from one of the parents, drawn evenly, and is mutated. Bends and enlargement are those of the
/// parent whose turn it is.
pub fn children(painter: &mut Painter, parents: &[Recipe], breeding: &Breeding) -> Result<Vec<Recipe>> {
    if parents.is_empty() {
        return Err(Error::Setting {
            message: "no parents are named".into(),
            hint: "name one picture or more that one model has painted".into(),
        });
    }
    let latents: Vec<Latents> = parents.iter().map(|p| painter.latents(p)).collect::<std::result::Result<_, _>>()?;
    let ids: Vec<String> = parents.iter().map(Recipe::id).collect::<std::result::Result<_, _>>()?;
    (0..breeding.children).map(|i| child(i, parents, &latents, &ids, breeding)).collect()
}

fn child(i: usize, parents: &[Recipe], latents: &[Latents], ids: &[String], breeding: &Breeding) -> Result<Recipe> {
    let mut rng = Rng::stream(breeding.seed, &format!("child {i}"));
    let turn = i % parents.len();
    let stages = (0..latents[turn].stages.len()).map(|s| latents[rng.below(parents.len())].stages[s].clone()).collect();
    let w = Numbers(Latents { stages }.numbers());
    let mut operations = vec![Operation::Latents { from: "breeding".into(), parents: ids.to_vec(), w, stages: None }];
    if breeding.mutation > 0.0 {
        operations.push(Operation::Mutate { seed: rng.next_u64(), by: breeding.mutation, stages: None });
    }
    let kept = parents[turn].operations.iter().filter(|op| matches!(op, Operation::Bend(_) | Operation::Enlarge { .. }));
    operations.extend(kept.cloned());
    Ok(Recipe { operations, ..parents[turn].clone() })
}

/// A picture in a family tree.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// Name of its file.
    pub picture: String,
    /// [`Recipe::id`].
    pub id: String,
    /// The ids of those it was made from.
    pub parents: Vec<String>,
}

/// The pictures of a folder that say what they were painted with, by name.
pub fn family(folder: &Path) -> Result<Vec<Member>> {
    let mut paths: Vec<PathBuf> = fs_err::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    let mut members = Vec::new();
    for path in paths.into_iter().filter(|p| p.is_file()) {
        // A family tree is of those that are of the family; anything else in the folder is none of its business.
        let Ok(recipe) = crate::generate::recipe_of(&path) else { continue };
        members.push(Member {
            picture: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            id: recipe.id()?,
            parents: parents_of(&recipe),
        });
    }
    Ok(members)
}

/// Those a picture was made from.
fn parents_of(recipe: &Recipe) -> Vec<String> {
    let last = recipe.operations.iter().rev().find_map(|op| match op {
        Operation::Latents { parents, .. } => Some(parents.clone()),
        _ => None,
    });
    last.unwrap_or_default()
}

/// The tree in lines: each picture under each of its parents that are in the folder, those without at the left. A picture is unfolded once.
pub fn tree(members: &[Member]) -> Vec<String> {
    let known: BTreeMap<&str, &Member> = members.iter().map(|m| (m.id.as_str(), m)).collect();
    let mut children: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in members {
        for parent in member.parents.iter().filter(|p| known.contains_key(p.as_str()) && **p != member.id) {
            children.entry(parent).or_default().push(member);
        }
    }
    let is_root = |m: &&Member| !m.parents.iter().any(|p| known.contains_key(p.as_str()) && *p != m.id);
    let (mut lines, mut shown) = (Vec::new(), std::collections::BTreeSet::new());
    let mut waiting: Vec<(&Member, usize)> = members.iter().filter(is_root).map(|m| (m, 0)).rev().collect();
    while let Some((member, depth)) = waiting.pop() {
        let others = member.parents.iter().filter_map(|p| known.get(p.as_str())).map(|m| m.picture.as_str()).collect::<Vec<_>>();
        let of = if others.len() > 1 { format!("  (of {})", others.join(" and ")) } else { String::new() };
        let below = children.get(member.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_first = shown.insert(member.picture.as_str());
        let again = if is_first || below.is_empty() { "" } else { "  (see above)" };
        lines.push(format!("{}{}{of}{again}", "  ".repeat(depth), member.picture));
        if is_first {
            waiting.extend(below.iter().rev().map(|child| (*child, depth + 1)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(picture: &str, parents: &[&str]) -> Member {
        Member { picture: format!("{picture}.png"), id: picture.into(), parents: parents.iter().map(|p| p.to_string()).collect() }
    }

    #[test]
    fn a_family_is_drawn_from_its_roots() {
        let family = [member("a", &[]), member("b", &["gone"]), member("c", &["a", "b"]), member("d", &["c"])];
        let expected =
            ["a.png", "  c.png  (of a.png and b.png)", "    d.png", "b.png", "  c.png  (of a.png and b.png)  (see above)"];
        assert_eq!(tree(&family), expected);
    }
}

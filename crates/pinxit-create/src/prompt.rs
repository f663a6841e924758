//! A sentence to labels: names of classes and styles that stand in it, and the words the model learnt from captions.
use pinxit_nn::words::{is_filler, words};
use serde::Serialize;

use crate::Painter;

/// What a text asks a model for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prompt {
    /// The class that is named.
    pub class: Option<String>,
    /// The style that is named.
    pub style: Option<String>,
    /// Words and pairs of words that the model learnt from captions.
    pub words: Vec<String>,
    /// Further classes and styles that are named: a picture has one of each.
    pub set_aside: Vec<String>,
    /// Words that mean nothing to the model, in the order of the text.
    pub unknown: Vec<String>,
}

/// Words that only point at a label: "in the noto style".
const POINTERS: [&str; 2] = ["style", "class"];

impl Prompt {
    /// Reads `text` with the labels and words of the painter's model.
    pub fn read(text: &str, painter: &Painter) -> Self {
        let said = words(text);
        let mut taken = vec![false; said.len()];
        let mut styles = named(&said, painter.styles(), &mut taken).into_iter();
        let mut classes = named(&said, painter.classes(), &mut taken).into_iter();
        let (style, class) = (styles.next(), classes.next());
        let found = painter.vocabulary().read(text);
        let is_taken = |word: &str| said.iter().zip(&taken).any(|(w, &t)| t && w == word);
        let points = |word: &str| POINTERS.contains(&word) && (style.is_some() || class.is_some());
        let means_nothing = |word: &String| !is_taken(word) && !points(word) && !is_filler(word);
        let terms = painter.vocabulary().terms();
        Prompt {
            words: found.known.iter().map(|&i| terms[i as usize].clone()).collect(),
            set_aside: styles.chain(classes).collect(),
            unknown: found.unknown.into_iter().filter(means_nothing).collect(),
            class,
            style,
        }
    }
}

/// Those of `names` whose words stand in the text one after the other, longest first, then in the order of the text; their words are
/// marked in `taken`. A name inside a longer one ("fluent" in "fluent 3d") was not meant.
fn named(said: &[String], names: &[String], taken: &mut [bool]) -> Vec<String> {
    let place = |name: &String| {
        let wanted = words(name);
        let at = said.windows(wanted.len().max(1)).position(|here| here == wanted)?;
        Some((wanted.len(), at, name.clone()))
    };
    let mut found: Vec<(usize, usize, String)> = names.iter().filter_map(place).collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut mine = vec![false; said.len()];
    found.retain(|&(len, at, _)| {
        let free = !mine[at..at + len].contains(&true);
        mine[at..at + len].fill(true);
        free
    });
    taken.iter_mut().zip(mine).for_each(|(taken, mine)| *taken |= mine);
    found.into_iter().map(|(_, _, name)| name).collect()
}

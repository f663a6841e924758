//! A sentence to labels: names of classes and styles that stand in it, and the words the model learnt from captions.
use pinxit_nn::words::{is_filler, words};

use crate::Painter;

/// What a text asks a model for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The class that is named.
    pub class: Option<String>,
    /// The style that is named.
    pub style: Option<String>,
    /// Whether any word is one of those the model learnt from captions.
    pub words: bool,
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
        let style = named(&said, painter.styles(), &mut taken);
        let class = named(&said, painter.classes(), &mut taken);
        let found = painter.vocabulary().read(text);
        let is_taken = |word: &str| said.iter().zip(&taken).any(|(w, &t)| t && w == word);
        let points = |word: &str| POINTERS.contains(&word) && (style.is_some() || class.is_some());
        let means_nothing = |word: &String| !is_taken(word) && !points(word) && !is_filler(word);
        let unknown = found.unknown.into_iter().filter(means_nothing).collect();
        Prompt { class, style, words: !found.known.is_empty(), unknown }
    }
}

/// The longest of `names` whose words stand in the text one after the other; those words are marked in `taken`.
fn named(said: &[String], names: &[String], taken: &mut [bool]) -> Option<String> {
    let place = |name: &String| {
        let wanted = words(name);
        let at = said.windows(wanted.len().max(1)).position(|here| here == wanted)?;
        Some((wanted.len(), at))
    };
    let (name, (len, at)) =
        names.iter().filter_map(|n| Some((n, place(n)?))).max_by_key(|(_, (len, at))| (*len, usize::MAX - at))?;
    taken[at..at + len].fill(true);
    Some(name.clone())
}

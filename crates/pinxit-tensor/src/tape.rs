//! The record of a computation, and walking it backwards.
use crate::op::{Op, Slot};
use crate::vjp::{self, vjp};
use crate::{Array, Real, Tensor};
use std::cell::RefCell;
use std::rc::Rc;

/// A node: what was done to which values, and of these only what the backward pass will read.
struct Node<T: Real> {
    op: Op,
    inputs: Vec<(Slot<Tensor<T>>, Option<usize>)>,
    output: Option<Tensor<T>>,
}

struct Nodes<T: Real> {
    list: Vec<Node<T>>,
    generation: u64,
}

/// A record of operations; a handle, cheap to clone. A tape belongs to one thread, the kernels under it use all.
pub struct Tape<T: Real = f32> {
    nodes: Rc<RefCell<Nodes<T>>>,
}

impl<T: Real> Clone for Tape<T> {
    fn clone(&self) -> Self {
        Tape { nodes: self.nodes.clone() }
    }
}

impl<T: Real> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Place of a value on its tape.
#[derive(Clone, Copy, Debug)]
struct Id {
    index: usize,
    generation: u64,
}

/// A value on a tape. One that depends on no [`Tape::leaf`] is a constant: it leaves no node, and nothing flows into it.
#[derive(Clone)]
pub struct Var<T: Real = f32> {
    tape: Tape<T>,
    id: Option<Id>,
    value: Tensor<T>,
}

impl<T: Real> Tape<T> {
    /// An empty tape.
    pub fn new() -> Self {
        Tape { nodes: Rc::new(RefCell::new(Nodes { list: Vec::new(), generation: 0 })) }
    }

    /// A value gradients can be asked of.
    pub fn leaf(&self, value: Tensor<T>) -> Var<T> {
        self.push(Op::Leaf, Vec::new(), value, false)
    }

    /// A value no gradient flows into.
    pub fn constant(&self, value: Tensor<T>) -> Var<T> {
        Var { tape: self.clone(), id: None, value }
    }

    /// Forgets everything recorded; the memory is kept for what is recorded next. A variable from before must not be used
    /// again: that panics. Its numbers stay readable.
    pub fn reset(&self) {
        let mut nodes = self.nodes.borrow_mut();
        nodes.list.clear();
        nodes.generation += 1;
    }

    /// Number of nodes recorded.
    pub fn len(&self) -> usize {
        self.nodes.borrow().list.len()
    }
    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Names of the operations recorded, in order.
    pub fn operations(&self) -> Vec<&'static str> {
        self.nodes.borrow().list.iter().map(|n| n.op.name()).collect()
    }

    fn push(&self, op: Op, inputs: Vec<(Slot<Tensor<T>>, Option<usize>)>, value: Tensor<T>, keep: bool) -> Var<T> {
        let mut nodes = self.nodes.borrow_mut();
        let id = Id { index: nodes.list.len(), generation: nodes.generation };
        nodes.list.push(Node { op, inputs, output: keep.then(|| value.clone()) });
        Var { tape: self.clone(), id: Some(id), value }
    }

    /// The result of `op` on `inputs`: a node if one of them is a variable.
    pub(crate) fn record(op: Op, inputs: &[&Var<T>], value: Tensor<T>) -> Var<T> {
        let tape = &inputs.iter().find(|v| v.id.is_some()).unwrap_or(&inputs[0]).tape;
        let parents: Vec<Option<usize>> = inputs.iter().map(|v| tape.index(v)).collect();
        if parents.iter().all(Option::is_none) {
            return tape.constant(value);
        }
        let wanted = |i: usize| parents.get(i).is_some_and(Option::is_some);
        let reads = op.reads([wanted(0), wanted(1)]);
        let slot = |(i, v): (usize, &&Var<T>)| {
            let value = reads.inputs.get(i).is_some_and(|&read| read).then(|| v.value.clone());
            (Slot { shape: v.value.dims(), value }, parents[i])
        };
        let slots = inputs.iter().enumerate().map(slot).collect();
        tape.push(op, slots, value, reads.output)
    }

    /// Where on this tape `v` is; nowhere for a constant.
    fn index(&self, v: &Var<T>) -> Option<usize> {
        let id = v.id?;
        assert!(Rc::ptr_eq(&self.nodes, &v.tape.nodes), "values of two tapes in one operation");
        assert_eq!(id.generation, self.nodes.borrow().generation, "a value from before the tape was reset");
        Some(id.index)
    }

    /// The value of node `index`, as the variable it was.
    fn var(&self, index: Option<usize>, value: Tensor<T>) -> Var<T> {
        let generation = self.nodes.borrow().generation;
        Var { tape: self.clone(), id: index.map(|index| Id { index, generation }), value }
    }

    /// For nodes `0..=last`: does it depend on one of `wrt`?
    fn depends(&self, wrt: &[Option<usize>], last: usize) -> Vec<bool> {
        let nodes = self.nodes.borrow();
        let mut on = vec![false; last + 1];
        for &i in wrt.iter().flatten().filter(|&&i| i <= last) {
            on[i] = true;
        }
        for i in 0..=last {
            on[i] = on[i] || nodes.list[i].inputs.iter().any(|(_, parent)| parent.is_some_and(|p| on[p]));
        }
        on
    }

    /// The backward walk, over whatever `A` is: `lift` makes a kept value into one.
    fn walk<A: Array<T = T>>(
        &self,
        seeds: Vec<(Option<usize>, A)>,
        wrt: &[Option<usize>],
        lift: impl Fn(Option<usize>, &Tensor<T>) -> A,
        add: impl Fn(A, A) -> A,
    ) -> Vec<Option<A>> {
        let Some(last) = seeds.iter().filter_map(|s| s.0).max() else { return wrt.iter().map(|_| None).collect() };
        let depends = self.depends(wrt, last);
        let mut cotangents: Vec<Option<A>> = (0..=last).map(|_| None).collect();
        let into = |to: &mut Option<A>, dy: A| {
            *to = Some(match to.take() {
                Some(sum) => add(sum, dy),
                None => dy,
            })
        };
        for (index, seed) in seeds {
            if let Some(i) = index.filter(|&i| depends[i]) {
                into(&mut cotangents[i], seed);
            }
        }
        for i in (0..=last).rev() {
            let Some(dy) = (if wrt.contains(&Some(i)) { cotangents[i].clone() } else { cotangents[i].take() }) else { continue };
            let (op, slots, output, parents) = self.view(i, &lift);
            let want: Vec<bool> = parents.iter().map(|p| p.is_some_and(|p| depends[p])).collect();
            if !want.contains(&true) {
                continue;
            }
            let grads = vjp(&vjp::Node { op: &op, inputs: &slots, output: output.as_ref() }, &dy, &want);
            drop(dy);
            for (parent, grad) in parents.into_iter().zip(grads) {
                if let (Some(p), Some(grad)) = (parent, grad) {
                    into(&mut cotangents[p], grad);
                }
            }
        }
        wrt.iter().map(|i| i.and_then(|i| cotangents.get(i).cloned().flatten())).collect()
    }

    /// Node `i` taken off the tape, so that the tape can be written to meanwhile.
    #[allow(clippy::type_complexity)]
    fn view<A>(
        &self,
        i: usize,
        lift: impl Fn(Option<usize>, &Tensor<T>) -> A,
    ) -> (Op, Vec<Slot<A>>, Option<A>, Vec<Option<usize>>) {
        let (op, inputs, output) = {
            let nodes = self.nodes.borrow();
            let n = &nodes.list[i];
            (n.op.clone(), n.inputs.clone(), n.output.clone())
        };
        let parents = inputs.iter().map(|(_, p)| *p).collect();
        let slot =
            |(s, p): &(Slot<Tensor<T>>, Option<usize>)| Slot { shape: s.shape, value: s.value.as_ref().map(|v| lift(*p, v)) };
        (op, inputs.iter().map(slot).collect(), output.as_ref().map(|v| lift(Some(i), v)), parents)
    }
}

impl<T: Real> Var<T> {
    /// The numbers.
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }
    /// The tape it lives on.
    pub fn tape(&self) -> &Tape<T> {
        &self.tape
    }
    pub(crate) fn has_node(&self) -> bool {
        self.id.is_some()
    }
    /// The same numbers as a constant: no gradient flows further.
    pub fn detach(&self) -> Var<T> {
        self.tape.constant(self.value.clone())
    }
}

impl<T: Real> std::fmt::Debug for Var<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Var {:?} {:?}", self.id.map(|i| i.index), self.value)
    }
}

/// Gradients of `y`, which has one element, recorded on the tape so that they can be differentiated again.
pub fn grad<T: Real>(y: &Var<T>, wrt: &[&Var<T>]) -> Vec<Var<T>> {
    assert_eq!(y.value.len(), 1, "grad() of a value of shape {:?}; sum it first", y.value.shape());
    grad_seeded(&[(y, y.tape.constant(Tensor::full(y.value.shape(), T::of(1.0))))], wrt)
}

/// Gradients of `sum of <out, seed>`, recorded on the tape.
pub fn grad_seeded<T: Real>(outs: &[(&Var<T>, Var<T>)], wrt: &[&Var<T>]) -> Vec<Var<T>> {
    T::grad(outs, wrt)
}

/// Gradients of `sum of <out, seed>` to first order: computed at once, nothing recorded, each intermediate gradient freed
/// as soon as it is used.
pub fn backward<T: Real>(outs: &[(&Var<T>, Tensor<T>)], wrt: &[&Var<T>]) -> Vec<Tensor<T>> {
    T::backward(outs, wrt)
}

pub(crate) fn grad_recorded<T: Real>(outs: &[(&Var<T>, Var<T>)], wrt: &[&Var<T>]) -> Vec<Var<T>> {
    let Some((first, _)) = outs.first() else {
        return wrt.iter().map(|w| w.tape.constant(Tensor::zeros(w.value.shape()))).collect();
    };
    let tape = first.tape.clone();
    let seeds = outs.iter().map(|(y, seed)| (tape.seed(y, &seed.value), seed.clone())).collect();
    let places: Vec<_> = wrt.iter().map(|w| tape.index(w)).collect();
    let found = tape.walk(seeds, &places, |index, value| tape.var(index, value.clone()), |a, b| a.add(&b));
    let zeros = |w: &Var<T>| tape.constant(Tensor::zeros(w.value.shape()));
    found.into_iter().zip(wrt).map(|(g, w)| g.unwrap_or_else(|| zeros(w))).collect()
}

pub(crate) fn backward_now<T: Real>(outs: &[(&Var<T>, Tensor<T>)], wrt: &[&Var<T>]) -> Vec<Tensor<T>> {
    let zeros = |w: &&Var<T>| Tensor::zeros(w.value.shape());
    let Some((first, _)) = outs.first() else { return wrt.iter().map(zeros).collect() };
    let tape = first.tape.clone();
    let seeds = outs.iter().map(|(y, seed)| (tape.seed(y, seed), seed.clone())).collect();
    let places: Vec<_> = wrt.iter().map(|w| tape.index(w)).collect();
    let found = tape.walk(seeds, &places, |_, value| value.clone(), T::accumulate);
    found.into_iter().zip(wrt).map(|(g, w)| g.unwrap_or_else(|| zeros(w))).collect()
}

impl<T: Real> Tape<T> {
    /// Place of an output, whose seed must have its shape.
    fn seed(&self, y: &Var<T>, seed: &Tensor<T>) -> Option<usize> {
        assert_eq!(y.value.shape(), seed.shape(), "a seed must have the shape of its output");
        self.index(y)
    }
}

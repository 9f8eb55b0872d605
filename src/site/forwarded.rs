//! `option forwarded`: what a request tells a server in the Forwarded field (RFC 7239).
//!
//! The same shape serves twice: with words while a configuration is read, with expressions once it runs.

/// Which parameters the field has; `E` is what a written expression is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded<E> {
    /// `proto`
    pub proto: bool,
    /// `host`, `host-expr`
    pub host: Told<E>,
    /// `by`, `by-expr`, and the port beside it
    pub by: Node<E>,
    /// `for`, `for-expr`, and the port beside it
    pub client: Node<E>,
}

/// One end of the client's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node<E> {
    /// Its name.
    pub name: Told<E>,
    /// Its port.
    pub port: Told<E>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<E> {
    /// It is not told.
    No,
    /// The connection or the request says it.
    Own,
    /// An expression makes it.
    Made(E),
}

impl<E> Default for Node<E> {
    fn default() -> Self {
        Node {
            name: Told::No,
            port: Told::No,
        }
    }
}

impl<E> Default for Forwarded<E> {
    fn default() -> Self {
        Forwarded {
            proto: false,
            host: Told::No,
            by: Node::default(),
            client: Node::default(),
        }
    }
}

impl<E> Told<E> {
    /// The same with its expression made of the written one.
    ///
    /// # Errors
    /// What `make` says.
    pub fn make<M, F>(&self, make: &mut impl FnMut(&E) -> Result<M, F>) -> Result<Told<M>, F> {
        Ok(match self {
            Told::No => Told::No,
            Told::Own => Told::Own,
            Told::Made(written) => Told::Made(make(written)?),
        })
    }
}

impl<E> Forwarded<E> {
    /// The same with every expression made of the written one.
    ///
    /// # Errors
    /// What `make` says of the first it refuses.
    pub fn make<M, F>(&self, mut make: impl FnMut(&E) -> Result<M, F>) -> Result<Forwarded<M>, F> {
        let make = &mut make;
        let mut node = |node: &Node<E>| {
            Ok(Node {
                name: node.name.make(make)?,
                port: node.port.make(make)?,
            })
        };
        let (by, client) = (node(&self.by)?, node(&self.client)?);
        Ok(Forwarded {
            proto: self.proto,
            host: self.host.make(make)?,
            by,
            client,
        })
    }
}

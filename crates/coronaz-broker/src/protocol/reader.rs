//! The protocol's primitive types, out of a stranger's bytes.

/// The most elements that one list of a request may have. A laboratory has one topic of some
/// partitions; a list costs memory before it is known to make sense.
const ELEMENTS_MAX: usize = 10_000;

/// Why bytes are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There is less than was announced.
    #[error("it ends too early")]
    Short,
    /// A length below zero, or beyond what is allowed.
    #[error("{0} is no length")]
    Length(i64),
    /// A text that is none.
    #[error("a text is not UTF-8")]
    Text,
    /// A request that this broker does not know.
    #[error("request {key} is not known in version {version}")]
    Unknown {
        /// The number of the request's kind.
        key: i16,
        /// The version asked for.
        version: i16,
    },
}

/// Reads primitive types one after the other and never beyond the end.
pub(crate) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.left.is_empty()
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (value, left) = self.left.split_first_chunk().ok_or(DecodeError::Short)?;
        self.left = left;
        Ok(*value)
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (value, left) = self.left.split_at_checked(count).ok_or(DecodeError::Short)?;
        self.left = left;
        Ok(value)
    }

    pub(crate) fn i8(&mut self) -> Result<i8, DecodeError> {
        self.fixed().map(i8::from_be_bytes)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, DecodeError> {
        self.fixed().map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, DecodeError> {
        self.fixed().map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, DecodeError> {
        self.fixed().map(i64::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, DecodeError> {
        self.i8().map(|value| value != 0)
    }

    fn uvarlong(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.fixed()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Length(i64::MAX))
    }

    /// A signed number in zigzag form.
    pub(crate) fn varlong(&mut self) -> Result<i64, DecodeError> {
        let value = self.uvarlong()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    /// A signed number in zigzag form, of 32 bits.
    pub(crate) fn varint(&mut self) -> Result<i32, DecodeError> {
        let value = self.varlong()?;
        i32::try_from(value).map_err(|_| DecodeError::Length(value))
    }

    /// As many bytes as the signed number before them says; none for -1.
    pub(crate) fn varint_bytes(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        match self.varint()? {
            -1 => Ok(None),
            count => {
                let count = usize::try_from(count).map_err(|_| DecodeError::Length(count.into()))?;
                self.take(count).map(Some)
            }
        }
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<&'a str>, DecodeError> {
        match self.i16()? {
            -1 => Ok(None),
            count => {
                let count = usize::try_from(count).map_err(|_| DecodeError::Length(count.into()))?;
                text(self.take(count)?).map(Some)
            }
        }
    }

    pub(crate) fn string(&mut self) -> Result<&'a str, DecodeError> {
        self.nullable_string()?.ok_or(DecodeError::Length(-1))
    }

    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        match self.i32()? {
            -1 => Ok(None),
            count => {
                let count = usize::try_from(count).map_err(|_| DecodeError::Length(count.into()))?;
                self.take(count).map(Some)
            }
        }
    }

    /// A list, or none for -1.
    pub(crate) fn nullable_array<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        match self.i32()? {
            -1 => Ok(None),
            announced => {
                let count = usize::try_from(announced).unwrap_or(usize::MAX);
                if count > ELEMENTS_MAX {
                    return Err(DecodeError::Length(announced.into()));
                }
                // Room is made as elements come: what is announced need not be there.
                let mut elements = Vec::new();
                for _ in 0..count {
                    elements.push(element(self)?);
                }
                Ok(Some(elements))
            }
        }
    }

    /// A list; none is an empty one.
    pub(crate) fn array<T>(
        &mut self,
        element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        self.nullable_array(element).map(Option::unwrap_or_default)
    }
}

fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_of_any_size_come_out_as_they_went_in() {
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x01], -1),
            (&[0x02], 1),
            (&[0xac, 0x02], 150),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f], i32::MIN),
        ] {
            assert_eq!(Reader::new(bytes).varint(), Ok(value));
        }
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Reader::new(&most).varlong(), Ok(i64::MIN));
        assert!(Reader::new(&most).varint().is_err());
        assert!(Reader::new(&[0x80; 11]).varlong().is_err());
    }

    #[test]
    fn what_is_announced_and_not_there_costs_no_memory_and_is_an_error() {
        let announced = 10_000_i32.to_be_bytes();
        assert_eq!(Reader::new(&announced).array(Reader::i64), Err(DecodeError::Short));
        let announced = i32::MAX.to_be_bytes();
        assert_eq!(Reader::new(&announced).array(Reader::i64), Err(DecodeError::Length(i32::MAX.into())));
        assert_eq!(Reader::new(&announced).nullable_bytes(), Err(DecodeError::Short));
        assert_eq!(
            Reader::new(&i32::MIN.to_be_bytes()).nullable_bytes(),
            Err(DecodeError::Length(i32::MIN.into()))
        );
    }
}

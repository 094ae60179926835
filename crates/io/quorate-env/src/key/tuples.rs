use super::{Key, KeyError, KeyForm};

macro_rules! tuple {
    ($($key:ident $form:ident $index:tt),*) => {
        impl<$($key, $form: KeyForm<$key>),*> KeyForm<($($key,)*)> for ($($form,)*) {
            fn encode_part(&self, to: &mut Vec<u8>) {
                $(self.$index.encode_part(to);)*
            }
        }

        impl<$($key: Key),*> Key for ($($key,)*) {
            fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
                Ok(($($key::decode_part(from)?,)*))
            }
        }
    };
}

tuple!(A FormA 0);
tuple!(A FormA 0, B FormB 1);
tuple!(A FormA 0, B FormB 1, C FormC 2);
tuple!(A FormA 0, B FormB 1, C FormC 2, D FormD 3);
tuple!(A FormA 0, B FormB 1, C FormC 2, D FormD 3, E FormE 4);
tuple!(A FormA 0, B FormB 1, C FormC 2, D FormD 3, E FormE 4, F FormF 5);

"""How parent and child put a question and its bytes, or an answer and its bytes, on a pipe: two lengths, JSON, bytes.

JSON and not pickle: what a child says after a hostile file must not be able to run anything in the parent.
"""

import struct

FRAME = struct.Struct(">II")  # lengths of JSON and of bytes

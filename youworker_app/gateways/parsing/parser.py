"""The DocumentParser: PDFs in children, texts in the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from youworker_app.gateways.parsing.errors import EmptyFile, FileTooComplex, TypeUnknown
from youworker_app.gateways.parsing.pdf_documents import PdfParser
from youworker_app.gateways.parsing.protocol import OpenDocument, ParserLimits
from youworker_app.gateways.parsing.text_documents import TextDocument


class LocalParser:
    """Reads on this machine. `readers` files are read at a time; previews have readers of their own."""

    def __init__(self, limits: ParserLimits | None = None, *, readers: int = 1) -> None:
        self._limits = limits or ParserLimits()
        self._pdfs = PdfParser(self._limits, readers=readers)

    @asynccontextmanager
    async def open(
        self, data: bytes, media_type: str, *, preview: bool = False
    ) -> AsyncIterator[OpenDocument]:
        if not data:
            raise EmptyFile
        match media_type:
            case "application/pdf":
                async with self._pdfs.open(data, preview=preview) as document:
                    yield document
            case "text/plain" | "text/markdown":
                if len(data) > self._limits.text_bytes:
                    raise FileTooComplex
                yield await asyncio.to_thread(TextDocument, data, media_type)
            case _:
                raise TypeUnknown

    async def close(self) -> None:
        await self._pdfs.close()

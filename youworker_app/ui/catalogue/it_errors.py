"""What errors say in Italian, by code. A test holds it complete."""

TEXTS: dict[str, str] = {
    "ERROR": "Qualcosa è andato storto.",
    "MALFORMED": "Non è stato possibile leggere la richiesta: {reason}",
    "UNAUTHENTICATED": "Accedi per continuare.",
    "FORBIDDEN": "Non ti è consentito farlo.",
    "NOT_FOUND": "Non esiste, oppure non puoi vederlo.",
    "CONFLICT": "È in conflitto con ciò che c'è già.",
    "TOO_LARGE": "Supera la dimensione consentita.",
    "UNSUPPORTED_TYPE": "Questo tipo non è supportato.",
    "UNPROCESSABLE": "Così com'è non si può usare: {reason}",
    "TOO_MANY_REQUESTS": "Troppe richieste. Riprova tra {retry_after_s} secondi.",
    "DEPENDENCY_AWAY": "Un servizio necessario al momento non è raggiungibile.",
    "CONFIGURATION": "{problem}",
}

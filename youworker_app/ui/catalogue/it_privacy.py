"""Italian: one's own data, holds, receipts."""

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "data.title": "I tuoi dati",
    "data.intro": "Ciò che qui è conservato di te è tuo: portalo via, cancellalo, o vattene per sempre.",
    "data.export": "Porta con te i tuoi dati",
    "data.export.intro": (
        "Uno zip con tutto ciò che è tuo: profilo, dispositivi, gruppi, conversazioni, documenti con i loro originali, "
        "e ciò che il registro di controllo dice che hai fatto. Non contiene nulla di altri."
    ),
    "data.export.begin": "Prepara un'esportazione",
    "data.export.working": "L'esportazione è in corso: {n} %. Puoi lasciare questa pagina.",
    "data.export.ready": "L'esportazione è pronta ({size}).",
    "data.export.until": "Si può scaricare fino a",
    "data.export.fetch": "Scarica lo zip",
    "data.export.again": "Preparane una nuova",
    "data.export.discard": "Eliminala",
    "data.export.failed": "L'esportazione non è riuscita.",
    "data.history": "Conversazioni",
    "data.history.intro": "Tutto ciò che hai chiesto e le risposte ricevute. I tuoi documenti restano.",
    "data.history.clear": "Cancella le mie conversazioni…",
    "data.history.title": "Cancellare tutte le tue conversazioni?",
    "data.history.text": (
        "Domande, risposte e fonti vengono eliminate per sempre, e le risposte in corso si fermano. "
        "Il registro di controllo conserva che le hai cancellate e quante erano; non contiene alcuna parola."
    ),
    "data.history.yes": "Cancella tutto",
    "data.history.cleared": "Conversazioni eliminate: {n}.",
    "data.erase": "Elimina il mio account",
    "data.erase.intro": "Te ne vai, e ciò che è tuo viene distrutto con le sue chiavi. Nessuno può recuperarlo.",
    "data.erase.begin": "Elimina il mio account…",
    "data.erase.goes": "Le tue conversazioni, i documenti privati, le sessioni e le chiavi API vengono distrutti.",
    "data.erase.groups": "I documenti condivisi con un gruppo restano al gruppo: un suo amministratore ne diventa proprietario.",
    "data.erase.alone": "Un gruppo in cui ci sei solo tu viene rimosso. Ciò che altri vi hanno lasciato torna a loro.",
    "data.erase.stays": "Il registro di controllo resta, senza il tuo nome. Ricevi una ricevuta di ciò che è stato distrutto.",
    "data.erase.confirm": "Scrivi il tuo nome utente ({name}) per confermare",
    "data.erase.password": "La tua password",
    "data.erase.fresh": "Qui non hai una password: esci e rientra subito prima, così è certo che sei tu.",
    "data.erase.submit": "Elimina tutto per sempre",
    "erased.title": "Il tuo account è eliminato",
    "erased.running": "Il tuo account viene eliminato",
    "erased.unknown": "Questa ricevuta non esiste.",
    "erased.text": "Questa è la tua ricevuta. Non nomina nessuno. Conservala: solo l'indirizzo di questa pagina la ritrova.",
    "erased.wait": "Nulla si apre più a tuo nome; il resto viene distrutto. Ricarica la pagina fra un momento.",
    "erased.number": "Numero",
    "erased.begun": "Iniziata",
    "erased.rows": "Righe e chiavi distrutte",
    "erased.bytes": "File e indice distrutti",
    "erased.soon": "al prossimo avvio del server; già illeggibili",
    "erased.keys": "Chiavi dei dati distrutte",
    "erased.as_text": "Salva come testo",
    "erased.as_json": "Salva come JSON",
    "users.held": "In conservazione",
    "users.hold": "Metti in conservazione: le conversazioni restano",
    "users.release": "Termina la conservazione",
    "trail.event.account.erasure_begun": "Proprio account eliminato",
    "trail.event.account.exported": "Propri dati esportati",
    "trail.event.account.export_begun": "Esportazione dei propri dati iniziata",
    "trail.event.chat.history_cleared": "Proprie conversazioni cancellate",
    "trail.event.user.held": "Persona messa in conservazione",
    "trail.event.user.released": "Conservazione di una persona terminata",
}

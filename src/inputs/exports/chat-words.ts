/** The phrases that WhatsApp writes into an exported chat, by language. Compared without direction marks, in lower case. */
interface Words {
  /** In place of a file, on Android. */
  omitted: readonly string[];
  /** In place of a file, on iOS: what it was. */
  omittedKinds: Readonly<Record<string, ChatMediaKind>>;
  /** Behind a file's name on Android, before it on iOS. */
  attached: readonly string[];
  deleted: readonly string[];
  edited: readonly string[];
}

export type ChatMediaKind =
  'image' | 'video' | 'audio' | 'sticker' | 'gif' | 'document' | 'contacts' | 'unknown';

export type ChatLanguage =
  'en' | 'pt' | 'es' | 'de' | 'fr' | 'it' | 'nl' | 'fi' | 'ru' | 'zh' | 'tr' | 'pl' | 'id';

const WORDS: Readonly<Record<ChatLanguage, Words>> = {
  en: {
    omitted: ['<media omitted>', '<video message omitted>', '<video note omitted>'],
    omittedKinds: {
      'image omitted': 'image',
      'video omitted': 'video',
      'video note omitted': 'video',
      'audio omitted': 'audio',
      'sticker omitted': 'sticker',
      'gif omitted': 'gif',
      'document omitted': 'document',
      'contact card omitted': 'contacts',
    },
    attached: ['file attached', 'attached'],
    deleted: [
      'this message was deleted',
      'you deleted this message',
      'this message was deleted by an admin',
      'you deleted this message as admin',
    ],
    edited: ['this message was edited'],
  },
  pt: {
    omitted: ['<mídia oculta>', '<arquivo de mídia oculto>', '<ficheiro não revelado>', '<mídia omitida>'],
    omittedKinds: {
      'imagem ocultada': 'image',
      'imagem omitida': 'image',
      'imagem não revelada': 'image',
      'vídeo ocultado': 'video',
      'vídeo omitido': 'video',
      'vídeo não revelado': 'video',
      'áudio ocultado': 'audio',
      'áudio omitido': 'audio',
      'áudio não revelado': 'audio',
      'figurinha omitida': 'sticker',
      'figurinha ocultada': 'sticker',
      'autocolante não revelado': 'sticker',
      'gif omitido': 'gif',
      'gif ocultado': 'gif',
      'documento omitido': 'document',
      'documento ocultado': 'document',
      'documento não revelado': 'document',
      'cartão do contato omitido': 'contacts',
      'cartão do contato ocultado': 'contacts',
    },
    attached: ['arquivo anexado', 'ficheiro anexado', 'anexado', 'anexo'],
    deleted: [
      'mensagem apagada',
      'esta mensagem foi apagada',
      'você apagou esta mensagem',
      'apagou esta mensagem',
      'você apagou essa mensagem',
      'essa mensagem foi apagada',
    ],
    edited: ['mensagem editada', 'esta mensagem foi editada', 'essa mensagem foi editada'],
  },
  es: {
    omitted: ['<multimedia omitido>', '<archivo omitido>'],
    omittedKinds: {
      'imagen omitida': 'image',
      'video omitido': 'video',
      'audio omitido': 'audio',
      'sticker omitido': 'sticker',
      'documento omitido': 'document',
      'tarjeta de contacto omitida': 'contacts',
    },
    attached: ['archivo adjunto', 'adjunto'],
    deleted: [
      'se eliminó este mensaje',
      'eliminaste este mensaje',
      'este mensaje fue eliminado',
      'este mensaje se eliminó',
    ],
    edited: ['este mensaje fue editado', 'se editó este mensaje', 'mensaje editado'],
  },
  de: {
    omitted: ['<medien ausgeschlossen>', '<medien ausgelassen>', '<medien weggelassen>'],
    omittedKinds: {
      'bild weggelassen': 'image',
      'video weggelassen': 'video',
      'videonachricht weggelassen': 'video',
      'audio weggelassen': 'audio',
      'sticker weggelassen': 'sticker',
      'gif weggelassen': 'gif',
      'dokument weggelassen': 'document',
      'kontaktkarte ausgelassen': 'contacts',
    },
    attached: ['datei angehängt', 'anhang'],
    deleted: [
      'diese nachricht wurde gelöscht',
      'du hast diese nachricht gelöscht',
      'diese nachricht wurde von einem admin gelöscht',
    ],
    edited: ['diese nachricht wurde bearbeitet'],
  },
  fr: {
    omitted: ['<médias omis>', '<fichier omis>'],
    omittedKinds: {
      'image absente': 'image',
      'vidéo absente': 'video',
      'audio omis': 'audio',
      'sticker omis': 'sticker',
      'gif retiré': 'gif',
      'document manquant': 'document',
      'document omis': 'document',
      'fiche contact manquante': 'contacts',
    },
    attached: ['fichier joint', 'pièce jointe'],
    deleted: ['ce message a été supprimé', 'vous avez supprimé ce message'],
    edited: ['ce message a été modifié'],
  },
  it: {
    omitted: ['<media omessi>'],
    omittedKinds: {
      'immagine omessa': 'image',
      'video omesso': 'video',
      'audio omesso': 'audio',
      'sticker non incluso': 'sticker',
      'gif esclusa': 'gif',
      'documento omesso': 'document',
      'scheda contatto omessa': 'contacts',
    },
    attached: ['file allegato', 'allegato'],
    deleted: ['questo messaggio è stato eliminato', 'hai eliminato questo messaggio'],
    edited: ['questo messaggio è stato modificato'],
  },
  nl: {
    omitted: ['<media weggelaten>'],
    omittedKinds: {
      'afbeelding weggelaten': 'image',
      'video weggelaten': 'video',
      'audio weggelaten': 'audio',
      'sticker weggelaten': 'sticker',
      'gif weggelaten': 'gif',
      'document weggelaten': 'document',
      'contactkaart weggelaten': 'contacts',
    },
    attached: ['bestand bijgevoegd', 'bijgevoegd'],
    deleted: ['dit bericht is verwijderd', 'je hebt dit bericht verwijderd'],
    edited: ['dit bericht is bewerkt'],
  },
  fi: {
    omitted: ['<media jätetty pois>'],
    omittedKinds: {
      'kuva jätetty pois': 'image',
      'video jätetty pois': 'video',
      'ääni jätetty pois': 'audio',
      'tarra jätetty pois': 'sticker',
      'gif jätetty pois': 'gif',
      'asiakirja jätetty pois': 'document',
      'yhteystietokortti jätetty pois': 'contacts',
    },
    attached: ['tiedosto liitetty', 'liite'],
    deleted: ['tämä viesti poistettiin', 'tämä viesti on poistettu', 'poistit tämän viestin'],
    edited: ['tätä viestiä muokattiin', 'tätä viestiä on muokattu'],
  },
  // Of the following, only what several public sources have seen in exports: no phrase is translated by us.
  ru: {
    omitted: ['<без медиафайлов>', '<файл пропущен>'],
    omittedKinds: {
      'изображение отсутствует': 'image',
      'видео отсутствует': 'video',
      'аудиофайл отсутствует': 'audio',
      'стикер не добавлен': 'sticker',
      'gif отсутствует': 'gif',
      'документ отсутствует': 'document',
      'карточка контакта отсутствует': 'contacts',
    },
    attached: ['файл добавлен', 'прикреплено'],
    deleted: ['данное сообщение удалено'],
    edited: [],
  },
  zh: {
    omitted: ['<省略影音内容>', '<省略多媒体文件>', '<忽略多媒體檔>'],
    omittedKinds: {
      照片已忽略: 'image',
      圖片已略去: 'image',
      圖像已省略: 'image',
      视频已忽略: 'video',
      影片已略去: 'video',
      影片已省略: 'video',
      音频已忽略: 'audio',
      音訊已略去: 'audio',
      音訊已省略: 'audio',
      贴图已省略: 'sticker',
      貼圖已略去: 'sticker',
      貼圖已忽略: 'sticker',
      'gif 动态图已被忽略': 'gif',
      'gif 已略去': 'gif',
      'gif 圖片已被省略': 'gif',
      文档已省略: 'document',
      文件已略去: 'document',
      文件已忽略: 'document',
      联系人卡片已忽略: 'contacts',
      聯絡人卡片已略去: 'contacts',
      聯絡人卡片已省略: 'contacts',
    },
    attached: ['文件附件', '附件'],
    deleted: [],
    edited: [],
  },
  tr: {
    omitted: ['<medya dahil edilmedi>', '<medya atlanmış>'],
    omittedKinds: {
      'görüntü dahil edilmedi': 'image',
      'video dahil edilmedi': 'video',
      'ses dahil edilmedi': 'audio',
      'çıkartma dahil edilmedi': 'sticker',
      'gif dahil edilmedi': 'gif',
      'belge dahil edilmedi': 'document',
      'kişi kartı dahil edilmedi': 'contacts',
    },
    attached: ['dosya ekli', 'eklendi'],
    deleted: ['bu mesaj silindi', 'bu mesajı sildiniz'],
    edited: ['bu mesaj düzenlendi'],
  },
  pl: {
    omitted: ['<pominięto multimedia>', '<pliki pominięto>'],
    omittedKinds: {
      'obraz pominięty': 'image',
      'wideo pominięte': 'video',
      'audio pominięte': 'audio',
      'pominięto naklejkę': 'sticker',
      'plik gif pominięty': 'gif',
      'dokument pominięty': 'document',
      'pominięta wizytówka kontaktu': 'contacts',
    },
    attached: ['załączony plik', 'załączono'],
    deleted: ['ta wiadomość została usunięta', 'usunięto tę wiadomość'],
    edited: [],
  },
  id: {
    omitted: ['<media tidak disertakan>'],
    omittedKinds: {
      'gambar tidak disertakan': 'image',
      'video tidak disertakan': 'video',
      'audio tidak disertakan': 'audio',
      'stiker tidak disertakan': 'sticker',
      'gif tidak disertakan': 'gif',
      'dokumen tidak disertakan': 'document',
      'kartu kontak tidak disertakan': 'contacts',
    },
    attached: ['file terlampir', 'terlampir'],
    deleted: ['pesan ini dihapus'],
    edited: ['pesan ini diedit'],
  },
};

const LANGUAGES: readonly ChatLanguage[] = [
  'en',
  'pt',
  'es',
  'de',
  'fr',
  'it',
  'nl',
  'fi',
  'ru',
  'zh',
  'tr',
  'pl',
  'id',
];

/** What a phrase of WhatsApp means, and the languages that write it so. */
export type Phrase =
  | { kind: 'omitted'; media: ChatMediaKind; languages: readonly ChatLanguage[] }
  | { kind: 'attached' | 'deleted' | 'edited'; languages: readonly ChatLanguage[] };

const PHRASES = new Map<string, Phrase>();
for (const language of LANGUAGES) {
  const words = WORDS[language];
  const add = (text: string, phrase: Phrase): void => {
    const known = PHRASES.get(text);
    PHRASES.set(text, known === undefined ? phrase : { ...known, languages: [...known.languages, language] });
  };
  for (const text of words.omitted) add(text, { kind: 'omitted', media: 'unknown', languages: [language] });
  for (const [text, media] of Object.entries(words.omittedKinds))
    add(text, { kind: 'omitted', media, languages: [language] });
  for (const kind of ['attached', 'deleted', 'edited'] as const)
    for (const text of words[kind]) add(text, { kind, languages: [language] });
}

/** The phrase of WhatsApp that `text` is, if it is one. */
export function phraseOf(text: string): Phrase | undefined {
  return PHRASES.get(
    text
      .replace(/[\u00a0\u202f]/g, ' ')
      .trim()
      .replace(/\.$/, '')
      .toLowerCase(),
  );
}

/** Every phrase with its meaning, for tests that write chats. */
export function allPhrases(): ReadonlyMap<string, Phrase> {
  return PHRASES;
}

/** The halves of the day as phones write them, without dots and spaces, in lower case. */
const DAY_PERIODS: ReadonlyMap<string, 'am' | 'pm'> = new Map([
  ['am', 'am'],
  ['pm', 'pm'],
  ['ص', 'am'],
  ['م', 'pm'],
  ['上午', 'am'],
  ['下午', 'pm'],
  ['午前', 'am'],
  ['午後', 'pm'],
  ['오전', 'am'],
  ['오후', 'pm'],
  ['πμ', 'am'],
  ['μμ', 'pm'],
  ['öö', 'am'],
  ['ös', 'pm'],
  ['sa', 'am'],
  ['ch', 'pm'],
  ['पूर्वाह्न', 'am'],
  ['अपराह्न', 'pm'],
]);

/** `AM`, `p. m.`, `下午`: undefined for any other word. */
export function dayPeriodOf(word: string): 'am' | 'pm' | undefined {
  return DAY_PERIODS.get(word.replace(/[.\s\u00a0\u202f\u2009]/g, '').toLowerCase());
}

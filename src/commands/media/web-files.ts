import type { Proxy } from '../../model/proxy.js';
import type { WebDownload } from './types.js';

/** Files of WhatsApp Web from WhatsApp's own media host. Nothing of WhatsApp Web is loaded before the first of them is asked for. */
export function webFiles(proxy: Proxy | null): WebDownload {
  return async (file, take, signal) => {
    const { downloadMedia } = await import('../../whatsapp/download-media.js');
    return downloadMedia(file, take, { signal, proxy });
  };
}

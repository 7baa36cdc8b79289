import type { Proxy } from '../../model/proxy.js';
import type { WebDownload } from './types.js';

/** WhatsApp Web files from WhatsApp's own media host. Loads nothing of WhatsApp Web before the first request. */
export function webFiles(proxy: Proxy | null): WebDownload {
  return async (file, take, signal) => {
    const { downloadMedia } = await import('../../whatsapp/download-media.js');
    return downloadMedia(file, take, { signal, proxy });
  };
}

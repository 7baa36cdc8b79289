export { checkServiceUrl } from '../../whatsapp/service-url.js';

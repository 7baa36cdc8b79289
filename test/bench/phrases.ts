import type { Random } from './random.js';

const PHRASES = [
  'Oi, tudo bem?',
  'Bom dia! Vocês têm esse modelo disponível na loja?',
  'Qual é o preço à vista e no cartão?',
  'Não consegui abrir o boleto, pode enviar de novo?',
  'Amanhã às 9h está ótimo pra mim.',
  'A entrega chegou com atraso, mas deu tudo certo.',
  'Você já fez a revisão dos 10.000 km?',
  'Só um instante, vou verificar com o responsável.',
  'Obrigado pela atenção! 🙏',
  'Segue o comprovante da transferência.',
  'Tem previsão de reposição para a próxima semana?',
  'Pode deixar que eu aviso assim que sair a aprovação.',
  'Perfeito, então fechamos por R$ 1.250,00 em três vezes.',
  'O endereço é Rua São João, 123, apto 45, próximo à estação.',
  'Não, prefiro à tarde.',
  'Já está na garantia? Comprei em março do ano passado.',
  'Que ótimo! Até lá então 😊',
  'Infelizmente não temos mais esse tamanho.',
] as const;

const SHORTEST = 20;
const LONGEST = 120;

/** A message of 20 to 120 characters, as a shop and its customers write them. */
export function writeText(random: Random): string {
  const wanted = random.between(SHORTEST, LONGEST - 40);
  let text: string = random.pick(PHRASES);
  while (text.length < wanted || text.length < SHORTEST) text += ` ${random.pick(PHRASES)}`;
  return text.slice(0, LONGEST);
}

const FIRST_NAMES = [
  'Ana',
  'João',
  'Márcia',
  'Antônio',
  'Luís',
  'Conceição',
  'Zoë',
  'Érica',
  'Paulo',
] as const;
const LAST_NAMES = ['Gonçalves', 'da Silva', 'Araújo', 'Simões', 'Brandão', 'Teixeira', 'Mendonça'] as const;

export function writeName(random: Random): string {
  return `${random.pick(FIRST_NAMES)} ${random.pick(LAST_NAMES)}`;
}

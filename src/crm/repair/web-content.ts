/**
 * The branches of an SQL `case` that give a place or contact cards as WhatsApp Web has them, for a row (`alias`) of the lost
 * messages; a caller's `else` has the rest.
 */
export function placeAndCards(alias: string): string {
  return `when ${alias}.place is not null then jsonb_build_object('locationMessage', jsonb_strip_nulls(jsonb_build_object(
        'degreesLatitude', ${alias}.place->'latitude', 'degreesLongitude', ${alias}.place->'longitude',
        'name', ${alias}.place->'name', 'address', ${alias}.place->'address')))
      when jsonb_array_length(${alias}.cards) = 1 then jsonb_build_object('contactMessage', ${cardOf(`${alias}.cards->0`)})
      when ${alias}.cards is not null then jsonb_build_object('contactsArrayMessage', jsonb_build_object(
        'displayName', ${alias}.body,
        'contacts', (select jsonb_agg(${cardOf('card')}) from jsonb_array_elements(${alias}.cards) as card)))`;
}

function cardOf(card: string): string {
  return `jsonb_build_object('displayName', ${card}->'name', 'vcard', ${card}->'vcard')`;
}

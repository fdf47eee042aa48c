import { languageLabel } from '../../src/drift/language-of'
import { tinyldLanguages } from '../../src/drift/tinyld-languages'

it.each([
  ['en', 'Where can I find the invoice of last month, please?'],
  ['de', 'Wo finde ich bitte die Rechnung vom letzten Monat?'],
  ['fr', 'Où puis-je trouver la facture du mois dernier ?'],
  ['es', '¿Dónde puedo encontrar la factura del mes pasado?'],
  ['pl', 'Gdzie mogę znaleźć fakturę za zeszły miesiąc?'],
  ['ru', 'Где я могу найти счёт за прошлый месяц?'],
  ['ja', '先月の請求書はどこにありますか、お手数ですが詳しく教えてください'],
  ['und', 'Invoice?'],
])('tells %s', (language, text) => {
  expect(languageLabel(tinyldLanguages, text)).toBe(language)
})

export function greeting(name: string): string {
  return `${name} is here.`;
}

import './style.css';
import { greeting } from './greeting.ts';

document.querySelector('#vite').textContent = greeting('Vite');
